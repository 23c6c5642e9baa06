#pragma once

#include <string>

#include "store/sqlite_db.h"

namespace zhitui::store {

// Sets the durability of a writing connection, makes the tables when the file has none, and refuses (kInvalid) a file
// whose tables are of another make or of a newer schema.
Status PrepareSchema(SqliteConnection& connection, const std::string& path, bool survive_power_cut);

}  // namespace zhitui::store
