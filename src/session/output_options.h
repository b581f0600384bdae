// Public requests and figures of runs, and the job layer's words for them.
#pragma once

#include <vecframe/run.h>

#include "job/embed_job.h"

namespace vecframe::session {

/// Throws RequestError for options that contradict each other.
job::OutputOptions output_options(const WriteOptions& options);

Progress to_progress(const exec::Statistics& statistics);

}  // namespace vecframe::session
