#include "job/dead_letters.h"

#include <vecframe/error.h>

#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "columnar/batch.h"
#include "storage/local_file.h"

namespace vecframe::job {
namespace {

constexpr std::int64_t kBatchRows = 1024;
constexpr std::int64_t kParquetBytes = 4 << 20;  // of an open row group and its batch

class JsonLetters final : public DeadLetters {
 public:
  explicit JsonLetters(const std::string& path)
      : path_(path), file_(path), stream_(file_.temporary_path(), std::ios::binary) {}

  void add(const FailedInput& failed) override {
    const nlohmann::ordered_json json = {{"input", failed.input},
                                         {"stage", failed.stage},
                                         {"code", failed.code},
                                         {"message", failed.message}};
    // Paths are bytes; JSON is UTF-8.
    stream_ << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    check();
  }
  void commit() override {
    stream_.close();
    check();
    file_.commit();
  }

 private:
  void check() const {
    if (!stream_) throw RunError("cannot write '" + path_ + "'; is the disk full?");
  }

  const std::string path_;
  storage::PendingFile file_;
  std::ofstream stream_;
};

class ParquetLetters final : public DeadLetters {
 public:
  ParquetLetters(const std::string& path, storage::TableModule& tables)
      : file_(path),
        schema_(make_schema()),
        writer_(tables.create_parquet(file_.temporary_path(), schema_)) {
    for (const columnar::Field& field : schema_->fields) builders_.emplace_back(field.type);
  }

  void add(const FailedInput& failed) override {
    builders_[0].append(std::string_view(failed.input));
    builders_[1].append(std::string_view(failed.stage));
    builders_[2].append(std::string_view(failed.code));
    builders_[3].append(std::string_view(failed.message));
    if (builders_[0].length() == kBatchRows) flush();
  }
  void commit() override {
    flush();
    writer_->close();
    file_.commit();
  }

 private:
  static std::shared_ptr<const columnar::Schema> make_schema() {
    auto schema = std::make_shared<columnar::Schema>();
    for (const char* name : {"input", "stage", "code", "message"})
      schema->fields.push_back({name, {columnar::TypeKind::kString}, false});
    return schema;
  }
  void flush() {
    if (builders_[0].length() == 0) return;
    writer_->write(columnar::Batch(schema_, builders_));
  }

  storage::PendingFile file_;
  const std::shared_ptr<const columnar::Schema> schema_;
  std::unique_ptr<storage::TableWriter> writer_;
  std::vector<columnar::ColumnBuilder> builders_;
};

}  // namespace

FailedInput failed_input(std::string input, const RowError& error) {
  return {std::move(input), std::string(to_string(error.stage)), std::string(to_string(error.code)),
          error.message};
}

void check_dead_letters(const std::string& path) {
  if (path.ends_with(".jsonl") || path.ends_with(".parquet")) return;
  throw RequestError("dead_letter: '" + path +
                     "' ends in neither .jsonl nor .parquet; give one of them");
}

std::unique_ptr<DeadLetters> open_dead_letters(const std::string& path,
                                               storage::TableModule& tables) {
  check_dead_letters(path);
  if (path.ends_with(".jsonl")) return std::make_unique<JsonLetters>(path);
  return std::make_unique<ParquetLetters>(path, tables);
}

NotingSink::NotingSink(exec::RowSink& sink, std::unique_ptr<DeadLetters> letters)
    : sink_(sink), letters_(std::move(letters)) {}

NotingSink::~NotingSink() {
  if (letters_ == nullptr) return;
  try {
    letters_->commit();
  } catch (const std::exception&) {
    // The run ends with an error of its own, and no file tells of a part of its failures.
    letters_.reset();
  }
}

void NotingSink::write(const exec::Row& row) {
  if (letters_ && row.error) letters_->add(failed_input(row.path, *row.error));
  sink_.write(row);
}

std::int64_t NotingSink::max_buffered_bytes() const {
  return sink_.max_buffered_bytes() + (letters_ ? kParquetBytes : 0);
}

void NotingSink::commit() {
  if (letters_ == nullptr) return;
  letters_->commit();
  letters_.reset();
}

}  // namespace vecframe::job
