#include "job/execute.h"

#include <chrono>
#include <optional>

#include "base/large_blocks.h"
#include "exec/text_pipeline.h"
#include "job/process_memory.h"

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

}  // namespace

std::unique_ptr<DeadLetters> dead_letters_of(const EmbedJob& job, storage::TableModule& tables) {
  return job.dead_letter.empty() ? nullptr : open_dead_letters(job.dead_letter, tables);
}

Report begin_report(const EmbedJob& job) {
  Report report;
  report.library_version = VECFRAME_VERSION;
  report.of_texts = !job.texts.empty();
  report.fast_decode = job.pipeline.fast_decode && job.descriptor != nullptr;
  report.output = job.output;
  return report;
}

Report execute_images(const EmbedJob& job, storage::Listing& listing, exec::RowSink& sink,
                      const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                      const exec::FailureCallback& failure) {
  map_large_blocks();  // before the weights are read
  Report report = begin_report(job);
  std::optional<exec::EmbedStage> stage;
  if (job.descriptor != nullptr) {
    stage = {instantiate(*job.descriptor, report), job.descriptor->prepare_spec(),
             job.descriptor->facts().dimension};
  }
  exec::PipelineOptions options = job.pipeline;
  std::optional<VectorStore> cache;
  if (job.cache && stage) {
    const std::string preparation = options.apply_orientation ? exec::kUpright : exec::kAsStored;
    cache.emplace(*job.cache, vector_recipe(report.embedder, options.fast_decode
                                                                 ? exec::decoded_fast(preparation)
                                                                 : preparation));
    options.cache = &*cache;
  }
  report.statistics = exec::run(listing, stage, sink, options, cancellation, progress, failure);
  report.peak_memory_bytes = peak_memory_of_process();
  return report;
}

Report execute_texts(const EmbedJob& job, storage::TextSource& source, exec::RowSink& sink,
                     const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                     const exec::FailureCallback& failure) {
  map_large_blocks();
  Report report = begin_report(job);
  std::optional<exec::TextStage> stage;
  if (job.text_descriptor != nullptr) {
    stage = {instantiate(*job.text_descriptor, report), job.text_descriptor->facts().dimension};
  }
  report.statistics =
      exec::run_texts(source, stage, sink, job.pipeline, cancellation, progress, failure);
  report.peak_memory_bytes = peak_memory_of_process();
  return report;
}

}  // namespace vecframe::job
