#include "daemon/daemon.h"

int main(int argc, char** argv) { return zhitui::daemon::Main(argc, argv, ZHITUI_VERSION); }
