// Progress, report, and Python callables as callbacks.

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <vecframe/run.h>

#include <new>
#include <optional>
#include <utility>

#include "bindings.h"
#include "run_callbacks.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {

RunCallbacks::RunCallbacks(nb::object on_progress, nb::object on_failure)
    : on_progress_(std::move(on_progress)), on_failure_(std::move(on_failure)) {}

void RunCallbacks::attach(RunOptions& options) const {
  options.on_progress = [this](const Progress& progress) { on_progress(progress); };
  if (!on_failure_.is_none())
    options.on_failure = [this](const Failure& failure) { on_failure(failure); };
}

void RunCallbacks::on_progress(const Progress& progress) const {
  nb::gil_scoped_acquire locked;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
  if (!on_progress_.is_none()) on_progress_(progress);
}

void RunCallbacks::on_failure(const Failure& failure) const {
  nb::gil_scoped_acquire locked;
  on_failure_(failure.path, failure.error);
}

Stages stages_of(const StageCounts& counts) {
  Stages stages;
  for (const auto& [name, count] : counts) stages.set(name, count);
  return stages;
}

namespace {

WriteMode mode_of(const std::string& word) {
  return word == "overwrite" ? WriteMode::kOverwrite
         : word == "append"  ? WriteMode::kAppend
                             : WriteMode::kError;
}

// The words are checked in Python.
void bind_write_options(nb::module_& module) {
  nb::class_<WriteOptions>(module, "NativeWriteOptions")
      .def(
          "__init__",
          [](WriteOptions* self, const std::string& mode, bool resume, bool retry_failed,
             bool prune, const std::string& detect, std::int64_t shard_index,
             std::int64_t shard_count, std::int64_t rows_per_part, std::int64_t bytes_per_part,
             std::optional<double> max_error_rate, const std::string& dead_letter,
             const std::string& cache, std::int64_t cache_bytes, int threads,
             std::int64_t memory_limit, const StageCounts& stages, bool ordered) {
            auto* options = new (self) WriteOptions();
            options->mode = mode_of(mode);
            options->resume = resume;
            options->retry_failed = retry_failed;
            options->prune = prune;
            options->detect = detect == "content" ? Detect::kContent : Detect::kTime;
            options->shard_index = shard_index;
            options->shard_count = shard_count;
            options->rows_per_part = rows_per_part;
            options->bytes_per_part = bytes_per_part;
            options->max_error_rate = max_error_rate;
            options->dead_letter = dead_letter;
            options->cache = cache;
            options->cache_bytes = cache_bytes;
            options->threads = threads;
            options->memory_limit = memory_limit;
            options->stages = stages_of(stages);
            options->ordered = ordered;
          },
          nb::kw_only(), "mode"_a, "resume"_a, "retry_failed"_a, "prune"_a, "detect"_a,
          "shard_index"_a, "shard_count"_a, "rows_per_part"_a, "bytes_per_part"_a,
          "max_error_rate"_a.none(), "dead_letter"_a, "cache"_a, "cache_bytes"_a, "threads"_a,
          "memory_limit"_a, "stages"_a = StageCounts(), "ordered"_a = true);
  const WriteOptions defaults;
  module.attr("DEFAULT_ROWS_PER_PART") = defaults.rows_per_part;
  module.attr("DEFAULT_BYTES_PER_PART") = defaults.bytes_per_part;
  module.attr("DEFAULT_CACHE_BYTES") = defaults.cache_bytes;
}

}  // namespace

void bind_run(nb::module_& module) {
  module.attr("DEFAULT_MEMORY_LIMIT") = kDefaultMemoryLimit;

  nb::class_<Progress>(module, "Progress", "A snapshot of a run that goes on.")
      .def(
          "__init__",
          [](Progress* self, std::int64_t rows, std::int64_t failed, std::int64_t listed,
             bool listing_done, double seconds, std::int64_t read, std::int64_t prepared,
             std::int64_t embedded, std::int64_t duplicates, std::int64_t cache_hits,
             std::int64_t retries, std::int64_t bytes_read) {
            new (self) Progress{rows,     failed,   listed,     listing_done, seconds, read,
                                prepared, embedded, duplicates, cache_hits,   retries, bytes_read};
          },
          nb::kw_only(), "rows"_a = 0, "failed"_a = 0, "listed"_a = 0, "listing_done"_a = false,
          "seconds"_a = 0.0, "read"_a = 0, "prepared"_a = 0, "embedded"_a = 0, "duplicates"_a = 0,
          "cache_hits"_a = 0, "retries"_a = 0, "bytes_read"_a = 0)
      .def_ro("rows", &Progress::rows, "Finished rows, failed ones included.")
      .def_ro("failed", &Progress::failed)
      .def_ro("listed", &Progress::listed, "Inputs found so far.")
      .def_ro("listing_done", &Progress::listing_done, "If so, `listed` is the total.")
      .def_ro("seconds", &Progress::seconds)
      .def_ro("read", &Progress::read, "Rows whose file was read.")
      .def_ro("prepared", &Progress::prepared, "Rows that were decoded and resized.")
      .def_ro("embedded", &Progress::embedded, "Rows that went through the model.")
      .def_ro("duplicates", &Progress::duplicates,
              "Rows that got the vector of another row of the same bytes.")
      .def_ro("cache_hits", &Progress::cache_hits,
              "Rows whose vector an earlier run left in the cache.")
      .def_ro("retries", &Progress::retries,
              "Calls of the embedder for parts of a batch that failed.")
      .def_ro("bytes_read", &Progress::bytes_read);

  bind_write_options(module);

  nb::class_<RunReport>(module, "NativeReport")
      .def_ro("rows", &RunReport::rows)
      .def_ro("failed", &RunReport::failed)
      .def_ro("failures", &RunReport::failures)
      .def_ro("seconds", &RunReport::seconds)
      .def_ro("load_seconds", &RunReport::load_seconds)
      .def_ro("notices", &RunReport::notices)
      .def_ro("peak_memory_bytes", &RunReport::peak_memory_bytes)
      .def_ro("json", &RunReport::json)
      .def_prop_ro(
          "failed_inputs",
          [](const RunReport& report) {
            nb::list inputs;
            for (const FailedInput& one : report.failed_inputs)
              inputs.append(nb::make_tuple(nb::bytes(one.input.data(), one.input.size()), one.stage,
                                           one.code,
                                           nb::bytes(one.message.data(), one.message.size())));
            return inputs;
          },
          nb::sig("def failed_inputs(self) -> list[tuple[bytes, str, str, bytes]]"));
}

}  // namespace vecframe::python
