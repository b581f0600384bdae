// A look into an output file.
#pragma once

#include <vecframe/dataframe.h>
#include <vecframe/export.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vecframe {

struct Neighbour {
  std::string path;
  double similarity = 0;  ///< cosine
};

struct NeighbourQuery {
  std::string path;
  std::vector<Neighbour> neighbours;  ///< nearest first, the query itself left out
};

struct VECFRAME_API TableSummary {
  std::vector<ColumnInfo> columns;
  std::vector<std::pair<std::string, std::string>> metadata;  ///< keys that begin with "vecframe."
  std::int64_t rows = 0;
  std::int64_t failed = 0;
  std::map<std::string, std::int64_t> failures;  ///< count by "stage/code"
  std::int64_t dimension = 0;                    ///< 0: no embedding column
  std::vector<NeighbourQuery> queries;

  std::string to_text() const;
  std::string to_json() const;
};

struct InspectOptions {
  int queries = 4;     ///< rows, evenly spread, to find neighbours of
  int neighbours = 3;  ///< for each
};

/// Reads a Parquet file, or a directory of parts, in a few passes of constant memory. Throws
/// RequestError if it is none.
VECFRAME_API TableSummary inspect(const std::string& path, const InspectOptions& options = {});

}  // namespace vecframe
