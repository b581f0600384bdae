#include "job/embed_job.h"

#include <vecframe/error.h>

#include <limits>
#include <utility>

#include "job/directory_run.h"
#include "job/execute.h"
#include "job/part.h"
#include "job/process_memory.h"
#include "job/table_sink.h"
#include "storage/listing.h"
#include "storage/text_source.h"

namespace vecframe::job {
namespace {

/// All rows of the inputs into the sink.
Report execute(const EmbedJob& job, exec::RowSink& sink, const CancellationToken& cancellation,
               const exec::ProgressCallback& progress, const exec::FailureCallback& failure) {
  Report report;
  if (job.texts.empty()) {
    const auto listing = storage::list_images(job.inputs);
    report = execute_images(job, *listing, sink, cancellation, progress, failure);
  } else {
    const auto source = storage::open_text_lines(job.texts);
    report = execute_texts(job, *source, sink, cancellation, progress, failure);
  }
  return report;
}

Report run_to_file(const EmbedJob& job, storage::TableModule& tables,
                   const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                   const exec::FailureCallback& failure) {
  const auto schema = output_schema(job);
  check_output(job.output, job.writing.mode);
  Part part(job.output, schema, tables);
  TableSink sink(schema, job.columns, sink_memory(job.pipeline.memory_limit),
                 [&](columnar::Batch batch, std::int64_t num_failed) {
                   part.write(std::move(batch), num_failed);
                 });
  NotingSink noting(sink, dead_letters_of(job, tables));
  Report report = execute(job, noting, cancellation, progress, failure);
  sink.flush();
  report.peak_memory_bytes = peak_memory_of_process();
  part.close(/*is_shard=*/false);
  report.parts = {part.path()};
  if (cancellation.cancelled()) throw Cancelled();
  noting.commit();
  part.commit();
  return report;
}

}  // namespace

const embed::EmbedderFacts* facts_of(const EmbedJob& job) {
  if (job.descriptor != nullptr) return &job.descriptor->facts();
  if (job.text_descriptor != nullptr) return &job.text_descriptor->facts();
  return nullptr;
}

Report run(const EmbedJob& job, storage::TableModule& tables, const CancellationToken& cancellation,
           const exec::ProgressCallback& progress, const exec::FailureCallback& failure) {
  check_options(job.writing, job.output);
  return output_kind(job.output) == OutputKind::kFile
             ? run_to_file(job, tables, cancellation, progress, failure)
             : run_to_directory(job, tables, cancellation, progress, failure);
}

Report produce(const EmbedJob& job, std::int64_t batch_rows, const BatchReceiver& receive,
               const CancellationToken& cancellation, const exec::ProgressCallback& progress,
               const exec::FailureCallback& failure) {
  TableSink sink(
      output_schema(job), job.columns, sink_memory(job.pipeline.memory_limit),
      [&](columnar::Batch batch, std::int64_t /*num_failed*/) { receive(std::move(batch)); },
      batch_rows);
  Report report = execute(job, sink, cancellation, progress, failure);
  sink.flush();
  return report;
}

Collected collect(const EmbedJob& job, const CancellationToken& cancellation,
                  const exec::ProgressCallback& progress, const exec::FailureCallback& failure) {
  Collected collected;
  collected.schema = output_schema(job);
  collected.report = produce(
      job, std::numeric_limits<std::int64_t>::max(),
      [&](columnar::Batch batch) { collected.batches.push_back(std::move(batch)); }, cancellation,
      progress, failure);
  return collected;
}

}  // namespace vecframe::job
