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
namespace columnar {
struct Schema;
}
namespace session {
class RowSource;
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

/// Rows of a plan that runs as they are taken, so that memory does not grow with them. For one
/// thread at a time. Destroying it ends the run.
class VECFRAME_API RowStream {
 public:
  explicit RowStream(std::unique_ptr<session::RowSource> source);
  RowStream(RowStream&&) noexcept;
  RowStream& operator=(RowStream&&) noexcept;
  ~RowStream();

  /// Fills `out` with a struct type; the receiver releases it.
  void schema(ArrowSchema* out) const;
  /// Fills `out` with the next rows, a struct array that the receiver releases; false at the end.
  /// Throws what a run throws; there are no more rows then.
  bool next(ArrowArray* out);
  /// Ends the run.
  void close();
  /// Moves the run into an Arrow C stream, which the receiver releases. Its errors are errno and
  /// text: RunError is EIO, RequestError EINVAL, Cancelled ECANCELED.
  void release_into(ArrowArrayStream* out);

 private:
  std::shared_ptr<const columnar::Schema> schema_;
  std::unique_ptr<session::RowSource> source_;
};

struct ExplainOptions {
  /// Also the plan as it was rewritten, and the steps in which it runs.
  bool show_all = false;
  /// kJson has everything: schema, logical, optimized, physical.
  enum class Format : std::uint8_t { kText, kJson } format = Format::kText;
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
  /// The plan as a text: its schema, and a line for each operation, the last one first.
  std::string explain(const ExplainOptions& options = {}) const;
  /// What the last operation does that its user hardly wants, one line each: a resize before
  /// embed_image, which only costs detail.
  std::vector<std::string> warnings() const;

  /// The plan as JSON, for from_json() in this or another process of the same release. A source in
  /// memory goes along, up to 16 MiB of it. Throws RequestError.
  std::string to_json() const;
  /// The plan of such a text, checked as building it would; no file is read. Throws RequestError
  /// for what to_json() did not make; the text may come from strangers. A run throws RequestError
  /// if a model is not the one that the plan was built with.
  static DataFrame from_json(const std::string& json);

  /// Runs the plan into `path`: one file if it ends in `.parquet`, else a directory of parts. It
  /// appears, by rename, only when it is complete. A column of pictures is decoded on demand and
  /// never stored; every other column is.
  RunReport write_parquet(const std::string& path, const WriteOptions& options = {}) const;
  /// Runs the plan into memory, as an Arrow C Stream that the receiver releases.
  RunReport to_arrow(ArrowArrayStream* out, const RunOptions& options = {}) const;
  /// Begins to run the plan; each call of next() goes on with it, and calls the callbacks of the
  /// options.
  RowStream stream(const RunOptions& options = {}) const;
  /// The same as an Arrow C stream.
  void stream(ArrowArrayStream* out, const RunOptions& options = {}) const;
  /// Runs the plan; the result is a dataframe of the rows, in memory.
  DataFrame collect(const RunOptions& options = {}) const;
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
  /// As DecodeImageOptions::fast_decode, for the column `image`; width and height are the file's.
  bool fast_decode = false;
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
