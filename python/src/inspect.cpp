#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <vecframe/inspect.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

std::vector<std::pair<std::string, std::string>> columns(const TableSummary& summary) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const ColumnInfo& column : summary.columns) result.emplace_back(column.name, column.type);
  return result;
}

std::map<std::string, std::string> metadata(const TableSummary& summary) {
  return {summary.metadata.begin(), summary.metadata.end()};
}

// [(path of the query, [(path, cosine), ...]), ...]
std::vector<std::pair<std::string, std::vector<std::pair<std::string, double>>>> neighbours(
    const TableSummary& summary) {
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, double>>>> result;
  for (const NeighbourQuery& query : summary.queries) {
    auto& found = result.emplace_back(query.path, std::vector<std::pair<std::string, double>>());
    for (const Neighbour& neighbour : query.neighbours)
      found.second.emplace_back(neighbour.path, neighbour.similarity);
  }
  return result;
}

}  // namespace

void bind_inspect(nb::module_& module) {
  nb::class_<TableSummary>(module, "TableSummary", "What an output file holds; print it.")
      .def_prop_ro("columns", &columns, "Pairs of name and type.")
      .def_prop_ro("metadata", &metadata, "Keys that begin with \"vecframe.\".")
      .def_ro("rows", &TableSummary::rows)
      .def_ro("failed", &TableSummary::failed)
      .def_ro("failures", &TableSummary::failures, "Count by \"stage/code\".")
      .def_ro("dimension", &TableSummary::dimension, "0: no embedding column.")
      .def_prop_ro("neighbours", &neighbours,
                   "For a few rows, their path and the nearest others as (path, cosine).")
      .def("to_json", &TableSummary::to_json)
      .def("__str__", &TableSummary::to_text)
      .def("__repr__", &TableSummary::to_text);
  module.def(
      "inspect",
      [](const std::string& path, int queries, int neighbours_each) {
        nb::gil_scoped_release unlocked;
        return inspect(path, {queries, neighbours_each});
      },
      "path"_a, nb::kw_only(), "queries"_a, "neighbours"_a);
}

}  // namespace vecframe::python
