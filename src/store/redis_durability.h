#pragma once

#include "store/redis_pool.h"

namespace zhitui::store {

// Refuses (kInvalid) a server that would forget what it acknowledged: the message names each setting to change. A
// server that does not let its settings be read is refused too.
Status CheckDurable(RedisPool& pool);

}  // namespace zhitui::store
