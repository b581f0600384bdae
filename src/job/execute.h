// What lies between the inputs of a job and its sink.
#pragma once

#include <memory>

#include "job/dead_letters.h"
#include "job/embed_job.h"
#include "storage/listing.h"
#include "storage/text_source.h"

namespace vecframe::job {

/// Makes the embedder of the descriptor, if there is one, and runs the pipeline.
Report execute_images(const EmbedJob& job, storage::Listing& listing, exec::RowSink& sink,
                      const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                      const exec::FailureCallback& failure);
Report execute_texts(const EmbedJob& job, storage::TextSource& source, exec::RowSink& sink,
                     const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                     const exec::FailureCallback& failure);

/// The job's file of inputs that failed; null if it has none.
std::unique_ptr<DeadLetters> dead_letters_of(const EmbedJob& job, storage::TableModule& tables);

/// A report of this library and this job's kind of rows.
Report begin_report(const EmbedJob& job);

}  // namespace vecframe::job
