// A lazy dataframe: a plan that is checked as it is built and runs when its result is asked for.
#pragma once

#include <vecframe/arrow_c.h>
#include <vecframe/export.h>
#include <vecframe/expression.h>
#include <vecframe/run.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecframe {

namespace plan {
struct LogicalPlan;
}

struct ColumnInfo {
  std::string name;
  std::string type;  ///< "String", "UInt32", "Image[RGB]", "Embedding[Float32; 1280]"
};

struct SortColumn {
  std::string name;
  bool descending = false;
  bool nulls_first = false;
};

class VECFRAME_API DataFrame {
 public:
  explicit DataFrame(std::shared_ptr<const plan::LogicalPlan> plan);

  /// Adds the column, or replaces the one of that name. Throws RequestError for an unknown column
  /// or a wrong type.
  DataFrame with_column(const std::string& name, const Expression& expression) const;
  /// The first `count` rows.
  DataFrame limit(std::int64_t count) const;
  /// These columns, in this order.
  DataFrame select(const std::vector<std::string>& columns) const;
  /// Columns of the result by name and expression; all of them see the columns of this dataframe.
  DataFrame select(const std::vector<std::pair<std::string, Expression>>& columns) const;
  /// All columns but these. Throws RequestError for an unknown one, like all that name columns.
  DataFrame exclude(const std::vector<std::string>& columns) const;
  /// Columns under other names: pairs of old and new.
  DataFrame rename(const std::vector<std::pair<std::string, std::string>>& names) const;
  /// Rows for which the expression is true; null is not. Throws RequestError unless it is Boolean.
  DataFrame where(const Expression& predicate) const;
  /// Stable; nulls last. Holds all rows in memory.
  DataFrame sort(const std::vector<SortColumn>& columns) const;
  /// Each row with this probability, or so many rows in all; the same ones for one seed.
  DataFrame sample(std::optional<double> fraction, std::optional<std::int64_t> size,
                   std::uint64_t seed = 0) const;
  /// The rows of another dataframe of the same columns and types follow.
  DataFrame concat(const DataFrame& other) const;
  /// Rows in which none of these columns, or of all, is null.
  DataFrame drop_nulls(const std::vector<std::string>& columns = {}) const;
  /// Runs the plan, without its embeddings and pictures, and counts its rows.
  std::int64_t count(const RunOptions& options = {}) const;

  std::vector<ColumnInfo> schema() const;
  /// The plan as an indented text.
  std::string explain() const;

  /// Runs the plan into `path`: one file if it ends in `.parquet`, else a directory of parts. It
  /// appears, by rename, only when it is complete. A column of pictures is decoded on demand and
  /// never stored; every other column is.
  RunReport write_parquet(const std::string& path, const WriteOptions& options = {}) const;
  /// Runs the plan into memory, as an Arrow C Stream that the receiver releases.
  RunReport to_arrow(ArrowArrayStream* out, const RunOptions& options = {}) const;
  /// Runs the first `count` rows and draws them as a table.
  std::string show(std::int64_t count = 8, const RunOptions& options = {}) const;

  const std::shared_ptr<const plan::LogicalPlan>& plan() const { return plan_; }

 private:
  std::shared_ptr<const plan::LogicalPlan> plan_;
};

struct ReadImagesOptions {
  /// Turn pictures as their EXIF orientation says.
  bool apply_orientation = true;
  /// A picture whose header claims more is a failed row.
  std::uint64_t max_pixels = 178'956'970;
};

/// Image files as rows: columns `path`, `image`, `width`, `height`, `format`. An input is a file, a
/// glob (`**` for any number of directories) or a directory, walked for files with a known image
/// extension. Throws RequestError if one matches nothing.
VECFRAME_API DataFrame read_images(const std::vector<std::string>& inputs,
                                   const ReadImagesOptions& options = {});

/// Texts as rows: one column `text`. `path` is a file of one text a line, or "-" for standard
/// input, which is read as the plan runs. Lines end in LF or CRLF; a final one adds no row, an
/// empty line is an empty text. A line that is no UTF-8, or longer than 1 MiB, is a row that fails.
/// Throws RequestError if the file cannot be read.
VECFRAME_API DataFrame read_texts(const std::string& path);

/// Files that match the patterns, as rows: columns `path`, `size` and `num_rows` (null). Throws
/// RequestError, when it runs, if one matches nothing.
VECFRAME_API DataFrame from_glob_path(const std::vector<std::string>& patterns);

/// Rows of Parquet files of one schema: files or directories of parts. Throws RequestError.
VECFRAME_API DataFrame read_parquet(const std::vector<std::string>& paths);

/// Rows of an Arrow stream, which is read to its end and kept in memory; takes the stream over.
/// Throws RequestError.
VECFRAME_API DataFrame from_arrow(ArrowArrayStream* stream);

/// Extensions by which a directory walk knows a picture: lower case, with the dot.
VECFRAME_API std::vector<std::string> image_extensions();

}  // namespace vecframe
