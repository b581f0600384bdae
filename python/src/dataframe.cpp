#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <vecframe/dataframe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "row_stream.h"
#include "run_callbacks.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

RunOptions run_options(int threads, std::int64_t memory_limit, const StageCounts& stages,
                       bool ordered) {
  RunOptions options;
  options.threads = threads;
  options.memory_limit = memory_limit;
  options.stages = stages_of(stages);
  options.ordered = ordered;
  return options;
}

RunReport write_parquet(const DataFrame& frame, const std::string& path, WriteOptions options,
                        nb::object on_progress, nb::object on_failure) {
  const RunCallbacks callbacks(std::move(on_progress), std::move(on_failure));
  callbacks.attach(options);
  nb::gil_scoped_release unlocked;
  return frame.write_parquet(path, options);
}

nb::capsule arrow_stream(const DataFrame& frame, int threads, std::int64_t memory_limit,
                         const StageCounts& stages, bool ordered, nb::object on_progress,
                         nb::object on_failure, std::int64_t morsel_rows, bool optimize) {
  const RunCallbacks callbacks(std::move(on_progress), std::move(on_failure));
  RunOptions options = run_options(threads, memory_limit, stages, ordered);
  options.morsel_rows = morsel_rows;
  options.optimize = optimize;
  callbacks.attach(options);
  auto stream = std::make_unique<ArrowArrayStream>();
  {
    nb::gil_scoped_release unlocked;
    frame.to_arrow(stream.get(), options);
  }
  return to_capsule(std::move(stream));
}

DataFrame collect(const DataFrame& frame, int threads, std::int64_t memory_limit,
                  const StageCounts& stages, bool ordered, nb::object on_progress,
                  nb::object on_failure) {
  const RunCallbacks callbacks(std::move(on_progress), std::move(on_failure));
  RunOptions options = run_options(threads, memory_limit, stages, ordered);
  callbacks.attach(options);
  nb::gil_scoped_release unlocked;
  return frame.collect(options);
}

std::string show(const DataFrame& frame, std::int64_t count, nb::object on_failure) {
  const RunCallbacks callbacks(nb::none(), std::move(on_failure));
  RunOptions options;
  callbacks.attach(options);
  nb::gil_scoped_release unlocked;
  return frame.show(count, options);
}

std::vector<std::pair<std::string, std::string>> schema(const DataFrame& frame) {
  std::vector<std::pair<std::string, std::string>> columns;
  for (ColumnInfo& column : frame.schema())
    columns.emplace_back(std::move(column.name), std::move(column.type));
  return columns;
}

}  // namespace

void bind_dataframe(nb::module_& module) {
  nb::class_<DataFrame> bound(module, "NativeDataFrame");
  bind_row_stream(module, bound);
  bound.def("with_column", &DataFrame::with_column, "name"_a, "expression"_a)
      .def("limit", &DataFrame::limit, "count"_a)
      .def(
          "select",
          [](const DataFrame& frame, const std::vector<std::string>& columns) {
            return frame.select(columns);
          },
          "columns"_a)
      .def(
          "select_expressions",
          [](const DataFrame& frame,
             const std::vector<std::pair<std::string, Expression>>& columns) {
            return frame.select(columns);
          },
          "columns"_a)
      .def("exclude", &DataFrame::exclude, "columns"_a)
      .def("rename", &DataFrame::rename, "names"_a)
      .def("where", &DataFrame::where, "predicate"_a)
      .def(
          "sort",
          [](const DataFrame& frame, const std::vector<std::string>& names,
             const std::vector<bool>& descending, bool nulls_first) {
            std::vector<SortColumn> columns;
            for (std::size_t i = 0; i < names.size(); ++i)
              columns.push_back({names[i], descending[i], nulls_first});
            return frame.sort(columns);
          },
          "names"_a, nb::kw_only(), "descending"_a, "nulls_first"_a)
      .def("sample", &DataFrame::sample, "fraction"_a.none(), "size"_a.none(), "seed"_a)
      .def("concat", &DataFrame::concat, "other"_a)
      .def("drop_nulls", &DataFrame::drop_nulls, "columns"_a)
      .def(
          "count", [](const DataFrame& frame) { return frame.count(); },
          nb::call_guard<nb::gil_scoped_release>())
      .def("schema", &schema)
      .def(
          "explain",
          [](const DataFrame& frame, bool show_all, bool json) {
            return frame.explain(
                {show_all, json ? ExplainOptions::Format::kJson : ExplainOptions::Format::kText});
          },
          nb::kw_only(), "show_all"_a, "json"_a)
      .def("warnings", &DataFrame::warnings)
      .def("to_json", &DataFrame::to_json)
      .def_static("from_json", &DataFrame::from_json, "json"_a)
      .def("collect", &collect, nb::kw_only(), "threads"_a, "memory_limit"_a, "stages"_a,
           "ordered"_a, "on_progress"_a.none(), "on_failure"_a.none(),
           nb::sig("def collect(self, *, threads: int, memory_limit: int, stages: dict[str, int], "
                   "ordered: bool, "
                   "on_progress: collections.abc.Callable[[Progress], object] | None, "
                   "on_failure: collections.abc.Callable[[str, str], object] | None) "
                   "-> NativeDataFrame"))
      .def("write_parquet", &write_parquet, "path"_a, "options"_a, nb::kw_only(),
           "on_progress"_a.none(), "on_failure"_a.none(),
           nb::sig("def write_parquet(self, path: str, options: NativeWriteOptions, *, "
                   "on_progress: collections.abc.Callable[[Progress], object] | None, "
                   "on_failure: collections.abc.Callable[[str, str], object] | None) "
                   "-> NativeReport"))
      .def("arrow_stream", &arrow_stream, nb::kw_only(), "threads"_a, "memory_limit"_a,
           "stages"_a = StageCounts(), "ordered"_a = true, "on_progress"_a.none(),
           "on_failure"_a.none(), "morsel_rows"_a = 0, "optimize"_a = true,
           nb::sig("def arrow_stream(self, *, threads: int, memory_limit: int, "
                   "stages: dict[str, int] = {}, ordered: bool = True, "
                   "on_progress: collections.abc.Callable[[Progress], object] | None, "
                   "on_failure: collections.abc.Callable[[str, str], object] | None, "
                   "morsel_rows: int = 0, optimize: bool = True) -> object"))
      .def("show", &show, "count"_a, nb::kw_only(), "on_failure"_a.none(),
           nb::sig("def show(self, count: int, *, "
                   "on_failure: collections.abc.Callable[[str, str], object] | None) -> str"));

  module.def(
      "read_images",
      [](const std::vector<std::string>& inputs, bool apply_orientation, std::uint64_t max_pixels,
         bool fast_decode) {
        ReadImagesOptions options;
        options.apply_orientation = apply_orientation;
        options.max_pixels = max_pixels;
        options.fast_decode = fast_decode;
        nb::gil_scoped_release unlocked;
        return read_images(inputs, options);
      },
      "inputs"_a, nb::kw_only(), "apply_orientation"_a, "max_pixels"_a, "fast_decode"_a);
  module.def("from_glob_path", &from_glob_path, "patterns"_a);
  module.def("read_parquet", &read_parquet, "paths"_a, nb::call_guard<nb::gil_scoped_release>());
  module.def(
      "from_arrow",
      [](const nb::capsule& capsule) {
        return from_arrow(static_cast<ArrowArrayStream*>(capsule.data("arrow_array_stream")));
      },
      "stream"_a, nb::sig("def from_arrow(stream: object) -> NativeDataFrame"));
  module.def("read_texts", &read_texts, "path"_a, nb::call_guard<nb::gil_scoped_release>());
  module.def("image_extensions", &image_extensions);
  module.attr("DEFAULT_MAX_PIXELS") = ReadImagesOptions().max_pixels;
}

}  // namespace vecframe::python
