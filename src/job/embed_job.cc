#include "job/embed_job.h"

#include <vecframe/error.h>

#include <chrono>
#include <limits>
#include <utility>

#include "base/large_blocks.h"
#include "exec/text_pipeline.h"
#include "job/process_memory.h"
#include "job/table_output.h"
#include "job/table_sink.h"
#include "storage/listing.h"
#include "storage/text_source.h"

namespace vecframe::job {
namespace {

/// The embedder of the descriptor, and the time it took to make it.
template <class Descriptor>
auto instantiate(const Descriptor& descriptor, Report& report) {
  const auto start = std::chrono::steady_clock::now();
  auto embedder = descriptor.instantiate();
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  report.load_seconds = spent.count();
  report.embedder = descriptor.facts();
  return embedder;
}

exec::Statistics execute_images(const EmbedJob& job, TableSink& sink, Report& report,
                                const CancellationToken& cancellation,
                                const exec::ProgressCallback& progress,
                                const exec::FailureCallback& failure) {
  const std::unique_ptr<storage::Listing> listing = storage::list_images(job.inputs);
  std::optional<exec::EmbedStage> stage;
  if (job.descriptor != nullptr) {
    stage = {instantiate(*job.descriptor, report), job.descriptor->prepare_spec(),
             job.descriptor->facts().dimension};
  }
  return exec::run(*listing, stage, sink, job.pipeline, cancellation, progress, failure);
}

exec::Statistics execute_texts(const EmbedJob& job, TableSink& sink, Report& report,
                               const CancellationToken& cancellation,
                               const exec::ProgressCallback& progress,
                               const exec::FailureCallback& failure) {
  const std::unique_ptr<storage::TextSource> source = storage::open_text_lines(job.texts);
  std::optional<exec::TextStage> stage;
  if (job.text_descriptor != nullptr) {
    stage = {instantiate(*job.text_descriptor, report), job.text_descriptor->facts().dimension};
  }
  return exec::run_texts(*source, stage, sink, job.pipeline, cancellation, progress, failure);
}

/// Everything between the inputs and the sink.
Report execute(const EmbedJob& job, TableSink& sink, const CancellationToken& cancellation,
               const exec::ProgressCallback& progress, const exec::FailureCallback& failure) {
  map_large_blocks();  // before the weights are read
  Report report;
  report.library_version = VECFRAME_VERSION;
  report.of_texts = !job.texts.empty();
  const auto run = report.of_texts ? execute_texts : execute_images;
  report.statistics = run(job, sink, report, cancellation, progress, failure);
  sink.flush();
  report.peak_memory_bytes = peak_memory_of_process();
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
  if (job.rows_per_part <= 0) {
    throw RequestError("rows_per_part=" + std::to_string(job.rows_per_part) +
                       " is not positive; give a number of rows");
  }
  const auto schema = output_schema(job);
  const std::unique_ptr<TableOutput> output = open_output(job, schema, tables);
  const bool one_file = output_kind(job.output) == OutputKind::kFile;
  TableSink sink(schema, job.columns, sink_memory(job.pipeline.memory_limit),
                 one_file ? std::numeric_limits<std::int64_t>::max() : job.rows_per_part,
                 [&](columnar::Batch batch, std::int64_t num_failed) {
                   output->write(std::move(batch), num_failed);
                 });
  Report report = execute(job, sink, cancellation, progress, failure);
  output->close();
  report.output = job.output;
  report.parts = output->parts();
  if (cancellation.cancelled()) throw Cancelled();
  output->commit(report.to_json());
  return report;
}

Report produce(const EmbedJob& job, std::int64_t batch_rows, const BatchReceiver& receive,
               const CancellationToken& cancellation, const exec::ProgressCallback& progress,
               const exec::FailureCallback& failure) {
  TableSink sink(
      output_schema(job), job.columns, sink_memory(job.pipeline.memory_limit), batch_rows,
      [&](columnar::Batch batch, std::int64_t /*num_failed*/) { receive(std::move(batch)); });
  return execute(job, sink, cancellation, progress, failure);
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
