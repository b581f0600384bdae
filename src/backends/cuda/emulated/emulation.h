// What tests may ask of the host's runtime.
#pragma once

#include <cstddef>

namespace vecframe::backends::cuda {

/// From now on all devices together have this much memory.
void set_emulated_memory(std::size_t bytes);
/// Bytes of it that are taken.
std::size_t emulated_memory_used();
/// Graphs that were started since the process began.
std::size_t emulated_graph_starts();

}  // namespace vecframe::backends::cuda
