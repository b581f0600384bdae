// A job over files as a source of rows: it runs on a thread of its own, one batch ahead.
#pragma once

#include <vecframe/run.h>

#include <memory>

#include "job/embed_job.h"
#include "session/row_source.h"

namespace vecframe::session {

/// Batches have `options.morsel_rows` rows at most, or a default.
std::unique_ptr<RowSource> stream_file_job(job::EmbedJob job, const RunOptions& options);

}  // namespace vecframe::session
