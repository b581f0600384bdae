// A lazy dataframe: a plan that is checked as it is built and runs when its result is asked for.
#pragma once

#include <vecframe/arrow_c.h>
#include <vecframe/export.h>
#include <vecframe/expression.h>
#include <vecframe/run.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vecframe {

namespace plan {
struct LogicalPlan;
}

struct ColumnInfo {
  std::string name;
  std::string type;  ///< "String", "UInt32", "Image[RGB]", "Embedding[Float32; 1280]"
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

/// Extensions by which a directory walk knows a picture: lower case, with the dot.
VECFRAME_API std::vector<std::string> image_extensions();

}  // namespace vecframe
