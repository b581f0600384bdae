// Rows as they are computed, for Python's own loops and for other libraries.

#include "row_stream.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "bindings.h"
#include "run_callbacks.h"
#include "without_lock.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

// A run, and the callables that it calls.
class PythonRows {
 public:
  PythonRows(const DataFrame& frame, RunOptions options, nb::object on_failure)
      : callbacks_(std::make_unique<RunCallbacks>(nb::none(), std::move(on_failure))) {
    callbacks_->attach(options);
    nb::gil_scoped_release unlocked;
    rows_.emplace(frame.stream(options));
  }
  ~PythonRows() {
    {
      WithoutLock unlocked;
      rows_.reset();
    }
    // An interpreter that has ended takes nothing back.
    if (Py_IsInitialized() == 0) {
      static_cast<void>(callbacks_.release());
      return;
    }
    nb::gil_scoped_acquire locked;
    callbacks_.reset();
  }

  RowStream& rows() { return *rows_; }

 private:
  std::unique_ptr<RunCallbacks> callbacks_;
  std::optional<RowStream> rows_;
};

nb::capsule schema_capsule(const RowStream& rows) {
  auto schema = std::make_unique<ArrowSchema>();
  rows.schema(schema.get());
  return nb::capsule(schema.release(), "arrow_schema", [](void* pointer) noexcept {
    std::unique_ptr<ArrowSchema> owned(static_cast<ArrowSchema*>(pointer));
    if (owned->release != nullptr) owned->release(owned.get());
  });
}

nb::capsule array_capsule(std::unique_ptr<ArrowArray> array) {
  return nb::capsule(array.release(), "arrow_array", [](void* pointer) noexcept {
    std::unique_ptr<ArrowArray> owned(static_cast<ArrowArray*>(pointer));
    if (owned->release != nullptr) owned->release(owned.get());
  });
}

// The next rows as the two capsules of an array, or None.
nb::object next_rows(PythonRows& run) {
  auto array = std::make_unique<ArrowArray>();
  bool more = false;
  {
    nb::gil_scoped_release unlocked;
    more = run.rows().next(array.get());
  }
  if (!more) return nb::none();
  nb::capsule schema = schema_capsule(run.rows());
  return nb::make_tuple(std::move(schema), array_capsule(std::move(array)));
}

struct ExportedRows {
  std::unique_ptr<PythonRows> run;
  std::string error;
};

int get_next(ArrowArrayStream* self, ArrowArray* out) {
  auto& exported = *static_cast<ExportedRows*>(self->private_data);
  WithoutLock unlocked;
  try {
    exported.run->rows().next(out);
    return 0;
  } catch (nb::python_error& error) {
    nb::gil_scoped_acquire locked;
    exported.error = error.what();
    // The caller turns this into an error of its own, so the signal is raised once more for it.
    if (error.matches(PyExc_KeyboardInterrupt)) PyErr_SetInterrupt();
    return EINTR;
  } catch (const std::exception& error) {
    exported.error = error.what();
    return EIO;
  }
}

int get_schema(ArrowArrayStream* self, ArrowSchema* out) {
  auto& exported = *static_cast<ExportedRows*>(self->private_data);
  try {
    exported.run->rows().schema(out);
    return 0;
  } catch (const std::exception& error) {
    exported.error = error.what();
    return EINVAL;
  }
}

const char* get_last_error(ArrowArrayStream* self) {
  const auto& error = static_cast<ExportedRows*>(self->private_data)->error;
  return error.empty() ? nullptr : error.c_str();
}

void release(ArrowArrayStream* self) {
  if (self->release == nullptr) return;
  delete static_cast<ExportedRows*>(self->private_data);
  self->release = nullptr;
}

RunOptions run_options(int threads, std::int64_t memory_limit, const StageCounts& stages,
                       bool ordered, std::int64_t morsel_rows, bool optimize) {
  RunOptions options;
  options.threads = threads;
  options.stages = stages_of(stages);
  options.ordered = ordered;
  options.memory_limit = memory_limit;
  options.morsel_rows = morsel_rows;
  options.optimize = optimize;
  return options;
}

nb::capsule lazy_stream(const DataFrame& frame, int threads, std::int64_t memory_limit,
                        const StageCounts& stages, bool ordered, nb::object on_failure) {
  auto exported = std::make_unique<ExportedRows>();
  exported->run = std::make_unique<PythonRows>(
      frame, run_options(threads, memory_limit, stages, ordered, 0, true), std::move(on_failure));
  auto stream = std::make_unique<ArrowArrayStream>();
  stream->get_schema = &get_schema;
  stream->get_next = &get_next;
  stream->get_last_error = &get_last_error;
  stream->release = &release;
  stream->private_data = exported.release();
  return to_capsule(std::move(stream));
}

}  // namespace

nb::capsule to_capsule(std::unique_ptr<ArrowArrayStream> stream) {
  return nb::capsule(stream.release(), "arrow_array_stream", [](void* pointer) noexcept {
    std::unique_ptr<ArrowArrayStream> owned(static_cast<ArrowArrayStream*>(pointer));
    if (owned->release != nullptr) owned->release(owned.get());
  });
}

void bind_row_stream(nb::module_& module, nb::class_<DataFrame>& frame) {
  nb::class_<PythonRows>(module, "NativeRows", "Rows of a plan that runs as they are taken.")
      .def("next", &next_rows, "The capsules of the next rows, or None.",
           nb::sig("def next(self) -> tuple[object, object] | None"))
      .def(
          "close", [](PythonRows& run) { run.rows().close(); },
          nb::call_guard<nb::gil_scoped_release>(), "Ends the run.");
  frame
      .def(
          "rows",
          [](const DataFrame& self, int threads, std::int64_t memory_limit,
             const StageCounts& stages, bool ordered, std::int64_t morsel_rows, bool optimize,
             nb::object on_failure) {
            return std::make_unique<PythonRows>(
                self, run_options(threads, memory_limit, stages, ordered, morsel_rows, optimize),
                std::move(on_failure));
          },
          nb::kw_only(), "threads"_a, "memory_limit"_a, "stages"_a = StageCounts(),
          "ordered"_a = true, "morsel_rows"_a, "optimize"_a = true, "on_failure"_a.none(),
          nb::sig("def rows(self, *, threads: int, memory_limit: int, "
                  "stages: dict[str, int] = {}, ordered: bool = True, morsel_rows: int, "
                  "optimize: bool = True, "
                  "on_failure: collections.abc.Callable[[str, str], object] | None) "
                  "-> NativeRows"))
      .def("lazy_stream", &lazy_stream, nb::kw_only(), "threads"_a, "memory_limit"_a, "stages"_a,
           "ordered"_a, "on_failure"_a.none(),
           nb::sig("def lazy_stream(self, *, threads: int, memory_limit: int, "
                   "stages: dict[str, int], ordered: bool, "
                   "on_failure: collections.abc.Callable[[str, str], object] | None) "
                   "-> object"));
}

}  // namespace vecframe::python
