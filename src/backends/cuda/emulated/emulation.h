// What tests may ask of the host's runtime.
#pragma once

#include <cstddef>

namespace vecframe::backends::cuda {

/// From now on all devices together have this much memory.
void set_emulated_memory(std::size_t bytes);
/// As many as at first: 64 GiB.
void reset_emulated_memory();
/// From now on all work fails, or no longer, as after a kernel that wrote where it may not.
void break_emulated_devices(bool is_broken);
/// Bytes of it that are taken.
std::size_t emulated_memory_used();
/// Graphs that were started since the process began.
std::size_t emulated_graph_starts();

}  // namespace vecframe::backends::cuda
