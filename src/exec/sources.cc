#include "exec/sources.h"

#include <vecframe/error.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "columnar/batch.h"
#include "storage/local_file.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;

constexpr std::int64_t kMorselRows = 1024;

columnar::ArrayPointer finished(columnar::ColumnBuilder& builder) {
  ArrowArray array;
  builder.finish(&array);
  return columnar::share(array);
}

class MemorySource final : public Operator {
 public:
  MemorySource(std::shared_ptr<const std::vector<Morsel>> morsels, std::vector<std::size_t> columns)
      : morsels_(std::move(morsels)), columns_(std::move(columns)) {}

  std::optional<Morsel> next() override {
    if (next_ == morsels_->size()) return std::nullopt;
    const Morsel& whole = (*morsels_)[next_++];
    Morsel morsel;
    morsel.num_rows = whole.num_rows;
    for (const std::size_t column : columns_) morsel.columns.push_back(whole.columns[column]);
    return morsel;
  }

 private:
  std::shared_ptr<const std::vector<Morsel>> morsels_;
  std::vector<std::size_t> columns_;
  std::size_t next_ = 0;
};

class PathSource final : public Operator {
 public:
  PathSource(std::unique_ptr<storage::Listing> listing, const columnar::Schema& schema)
      : listing_(std::move(listing)), schema_(schema) {}

  std::optional<Morsel> next() override {
    std::vector<columnar::ColumnBuilder> builders;
    for (const columnar::Field& field : schema_.fields) builders.emplace_back(field.type);
    Morsel morsel;
    while (morsel.num_rows < kMorselRows) {
      const std::optional<std::string> path = listing_->next();
      if (!path) break;
      ++morsel.num_rows;
      for (std::size_t i = 0; i < builders.size(); ++i)
        append(*path, schema_.fields[i].name, builders[i]);
    }
    if (morsel.num_rows == 0) return std::nullopt;
    for (columnar::ColumnBuilder& builder : builders) morsel.columns.push_back(finished(builder));
    return morsel;
  }

 private:
  static void append(const std::string& path, const std::string& column,
                     columnar::ColumnBuilder& builder) {
    if (column == "path") return builder.append(std::string_view(path));
    if (column != "size") return builder.append_null();
    const Result<std::int64_t> size = storage::file_size(path);
    size ? builder.append(*size) : builder.append_null();
  }

  std::unique_ptr<storage::Listing> listing_;
  const columnar::Schema schema_;
};

class TextRows final : public Operator {
 public:
  explicit TextRows(std::unique_ptr<storage::TextSource> source) : source_(std::move(source)) {}

  std::optional<Morsel> next() override {
    constexpr std::chrono::milliseconds kPatience{1000};
    constexpr std::size_t kBytes = 256 << 10;
    columnar::ColumnBuilder texts({columnar::TypeKind::kString});
    Morsel morsel;
    std::size_t bytes = 0;
    while (morsel.num_rows < kMorselRows && bytes < kBytes) {
      storage::TextRow row;
      const auto outcome = source_->next(row, kPatience);
      if (outcome == storage::TextSource::Outcome::kEnd) break;
      if (outcome == storage::TextSource::Outcome::kWaiting) {
        if (morsel.num_rows > 0) break;
        continue;
      }
      row.error ? texts.append_null() : texts.append(std::string_view(row.text));
      bytes += row.text.size();
      ++morsel.num_rows;
    }
    if (morsel.num_rows == 0) return std::nullopt;
    morsel.columns.push_back(finished(texts));
    return morsel;
  }

 private:
  std::unique_ptr<storage::TextSource> source_;
};

class StreamSource final : public Operator {
 public:
  explicit StreamSource(ArrowArrayStream stream) : stream_(stream) {}
  ~StreamSource() override {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }

  std::optional<Morsel> next() override {
    ArrowArray array{};
    if (stream_.get_next(&stream_, &array) != 0) {
      const char* message = stream_.get_last_error(&stream_);
      throw RunError(std::string("reading stopped: ") + (message == nullptr ? "" : message));
    }
    if (array.release == nullptr) return std::nullopt;
    return columnar::morsel_of(array);
  }

 private:
  ArrowArrayStream stream_;
};

class Sliced final : public Operator {
 public:
  Sliced(std::unique_ptr<Operator> input, std::int64_t rows)
      : input_(std::move(input)), rows_(rows) {}

  std::optional<Morsel> next() override {
    while (taken_ == current_.num_rows) {
      std::optional<Morsel> next = input_->next();
      if (!next) return std::nullopt;
      current_ = std::move(*next);
      taken_ = 0;
    }
    const std::int64_t first = taken_;
    taken_ = std::min(current_.num_rows, first + rows_);
    return columnar::slice(current_, first, taken_ - first);
  }

 private:
  const std::unique_ptr<Operator> input_;
  const std::int64_t rows_;
  Morsel current_;
  std::int64_t taken_ = 0;
};

class InTurn final : public Operator {
 public:
  explicit InTurn(std::vector<std::unique_ptr<Operator>> operators)
      : operators_(std::move(operators)) {}

  std::optional<Morsel> next() override {
    while (next_ < operators_.size()) {
      if (std::optional<Morsel> morsel = operators_[next_]->next()) return morsel;
      operators_[next_++].reset();
    }
    return std::nullopt;
  }

 private:
  std::vector<std::unique_ptr<Operator>> operators_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Operator> open_memory(std::shared_ptr<const std::vector<Morsel>> morsels,
                                      std::vector<std::size_t> columns) {
  return std::make_unique<MemorySource>(std::move(morsels), std::move(columns));
}

std::unique_ptr<Operator> open_paths(std::unique_ptr<storage::Listing> listing,
                                     const columnar::Schema& schema) {
  return std::make_unique<PathSource>(std::move(listing), schema);
}

std::unique_ptr<Operator> open_texts(std::unique_ptr<storage::TextSource> source) {
  return std::make_unique<TextRows>(std::move(source));
}

std::unique_ptr<Operator> open_stream(ArrowArrayStream stream) {
  return std::make_unique<StreamSource>(stream);
}

std::unique_ptr<Operator> open_sliced(std::unique_ptr<Operator> input, std::int64_t rows) {
  return std::make_unique<Sliced>(std::move(input), rows);
}

std::unique_ptr<Operator> open_in_turn(std::vector<std::unique_ptr<Operator>> operators) {
  return std::make_unique<InTurn>(std::move(operators));
}

}  // namespace vecframe::exec
