// How many threads of a run do what at a time.
#pragma once

#include <vecframe/run.h>

namespace vecframe::exec {

struct Concurrency {
  int readers = 1;
  int decoders = 1;  ///< workers that may prepare a row
  int lanes = 1;     ///< workers that may embed a batch
  /// Threads that do the one or the other; more of either would never have anything to do.
  int workers = 1;
};

/// Of `threads` workers, each of which does whatever there is to do, unless `stages` says more or
/// less of it.
Concurrency concurrency_of(const Stages& stages, int threads);

/// The same for workers that take rows through all stages, one after the other: so many readers and
/// others as are asked for side by side.
Concurrency concurrency_of_map(const Stages& stages, int threads);

/// Throws RequestError for a number out of range.
void check_stages(const Stages& stages);

}  // namespace vecframe::exec
