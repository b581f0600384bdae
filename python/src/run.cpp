// Progress, report, and Python callables as callbacks.

#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <vecframe/run.h>

#include <utility>

#include "bindings.h"
#include "run_callbacks.h"

namespace nb = nanobind;

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

void bind_run(nb::module_& module) {
  module.attr("DEFAULT_MEMORY_LIMIT") = kDefaultMemoryLimit;

  nb::class_<Progress>(module, "Progress", "A snapshot of a run that goes on.")
      .def_ro("rows", &Progress::rows, "Finished rows, failed ones included.")
      .def_ro("failed", &Progress::failed)
      .def_ro("listed", &Progress::listed, "Inputs found so far.")
      .def_ro("listing_done", &Progress::listing_done, "If so, `listed` is the total.")
      .def_ro("seconds", &Progress::seconds);

  nb::class_<RunReport>(module, "NativeReport")
      .def_ro("rows", &RunReport::rows)
      .def_ro("failed", &RunReport::failed)
      .def_ro("failures", &RunReport::failures)
      .def_ro("seconds", &RunReport::seconds)
      .def_ro("load_seconds", &RunReport::load_seconds)
      .def_ro("peak_memory_bytes", &RunReport::peak_memory_bytes)
      .def_ro("json", &RunReport::json);
}

}  // namespace vecframe::python
