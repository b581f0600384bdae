// The machine's own limit: how many float32 operations a second these cores do when nothing but
// fused multiply-adds run.
#pragma once

namespace vecframe::benchmarks {

/// GFLOP/s of `threads` threads together, over some tens of milliseconds, at the widest vectors the
/// processor has.
double fma_gflops(int threads);

}  // namespace vecframe::benchmarks
