// Runs whose shards other processes compute.

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <vecframe/jobs.h>

#include <memory>
#include <string>
#include <utility>

#include "bindings.h"
#include "row_stream.h"
#include "run_callbacks.h"
#include "without_lock.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

// Paths and messages need not be UTF-8.
std::string to_bytes(nb::handle object) {
  const auto bytes = nb::cast<nb::bytes>(object);
  return {bytes.c_str(), bytes.size()};
}

// A runner with callables of its own, which its options refer to.
class Runner {
 public:
  Runner(const DataFrame& frame, const std::string& path, WriteOptions options,
         nb::object on_progress, nb::object on_failure)
      : callbacks_(std::make_unique<RunCallbacks>(std::move(on_progress), std::move(on_failure))) {
    callbacks_->attach(options);
    nb::gil_scoped_release unlocked;
    runner_ = std::make_unique<ShardRunner>(frame, path, options);
  }
  // Embedders end on threads of their own, which need the interpreter.
  ~Runner() {
    const WithoutLock unlocked;
    runner_.reset();
  }
  RunReport run(const std::string& shard) {
    nb::gil_scoped_release unlocked;
    return runner_->run(shard);
  }

 private:
  std::unique_ptr<RunCallbacks> callbacks_;
  std::unique_ptr<ShardRunner> runner_;
};

class Tables {
 public:
  Tables(const DataFrame& frame, int threads, std::int64_t memory_limit) {
    RunOptions options;
    options.threads = threads;
    options.memory_limit = memory_limit;
    nb::gil_scoped_release unlocked;
    runner_ = std::make_unique<TableRunner>(frame, options);
  }
  ~Tables() {
    const WithoutLock unlocked;
    runner_.reset();
  }
  nb::capsule run(const nb::capsule& table) {
    auto* stream = static_cast<ArrowArrayStream*>(table.data("arrow_array_stream"));
    auto out = std::make_unique<ArrowArrayStream>();
    {
      nb::gil_scoped_release unlocked;
      runner_->run(stream, out.get());
    }
    return to_capsule(std::move(out));
  }

 private:
  std::unique_ptr<TableRunner> runner_;
};

}  // namespace

void bind_jobs(nb::module_& module) {
  nb::class_<PlannedRun>(module, "NativePlannedRun")
      .def(nb::init<const DataFrame&, const std::string&, const WriteOptions&>(), "frame"_a,
           "path"_a, "options"_a, nb::call_guard<nb::gil_scoped_release>())
      .def("next_shard", &PlannedRun::next_shard, nb::call_guard<nb::gil_scoped_release>())
      .def(
          "add",
          [](PlannedRun& run, const std::string& report, const std::vector<nb::tuple>& failed) {
            std::vector<FailedInput> inputs;
            for (const nb::tuple& one : failed)
              inputs.push_back({to_bytes(one[0]), nb::cast<std::string>(one[1]),
                                nb::cast<std::string>(one[2]), to_bytes(one[3])});
            run.add(report, inputs);
          },
          "report"_a, "failed_inputs"_a,
          nb::sig("def add(self, report: str, failed_inputs: "
                  "collections.abc.Sequence[tuple[bytes, str, str, bytes]]) -> None"))
      .def("finish", &PlannedRun::finish, "facts"_a, nb::call_guard<nb::gil_scoped_release>())
      .def(
          "close", [](PlannedRun& run) { PlannedRun ended(std::move(run)); },
          "Lets the directory go; the run is over.");

  nb::class_<Runner>(module, "NativeShardRunner")
      .def(nb::init<const DataFrame&, const std::string&, WriteOptions, nb::object, nb::object>(),
           "frame"_a, "path"_a, "options"_a, nb::kw_only(), "on_progress"_a.none(),
           "on_failure"_a.none(),
           nb::sig("def __init__(self, frame: NativeDataFrame, path: str, options: "
                   "NativeWriteOptions, *, "
                   "on_progress: collections.abc.Callable[[Progress], object] | None, "
                   "on_failure: collections.abc.Callable[[str, str], object] | None) -> None"))
      .def("run", &Runner::run, "shard"_a);

  nb::class_<Tables>(module, "NativeTableRunner")
      .def(nb::init<const DataFrame&, int, std::int64_t>(), "frame"_a, nb::kw_only(), "threads"_a,
           "memory_limit"_a)
      .def("run", &Tables::run, "table"_a, nb::sig("def run(self, table: object) -> object"));

  nb::class_<MergedRun>(module, "MergedRun", "What a directory holds after its shares were merged.")
      .def_ro("complete", &MergedRun::complete, "Whether all shares of the run have ended.")
      .def_ro("parts", &MergedRun::parts)
      .def_ro("rows", &MergedRun::rows)
      .def_ro("failed", &MergedRun::failed)
      .def_ro("shares", &MergedRun::shares)
      .def_ro("missing_shares", &MergedRun::missing_shares);
  module.def("merge_run", &merge_run, "directory"_a, nb::call_guard<nb::gil_scoped_release>());
  module.def("read_report", &read_report, "directory"_a);
  module.def("report_text", &report_text, "report"_a);
}

}  // namespace vecframe::python
