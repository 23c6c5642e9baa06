#pragma once

// daemon: the program `zhitui`: its configuration, the wiring of all rooms, signals, subcommands. The one room that
// knows every door, and the owner of the vendors behind the doors of logging and metrics.

#include <string>

namespace zhitui::daemon {

// Runs one subcommand and gives its exit code (sysexits.h): 0 done, 64 usage, 65 bad data, 66 no such input,
// 69 a dependency or an address is unavailable, 70 a bug, 73 cannot create output, 78 bad configuration or rules.
int Main(int argc, char** argv, const std::string& version);

}  // namespace zhitui::daemon
