#pragma once

#include <cstddef>
#include <functional>

namespace zhitui {

// Runs work(0) … work(count - 1), each once, in any order, perhaps on several threads at a time, and returns when all
// are done. Pure rooms take one as an argument: their caller owns the threads. The first exception of `work` is thrown.
using ForEach = std::function<void(std::size_t count, const std::function<void(std::size_t)>& work)>;

ForEach OneAfterTheOther();
// On up to `threads` threads, the caller's among them; 0: one for each processor.
ForEach OnThreads(std::size_t threads = 0);

}  // namespace zhitui
