#include "job/table_output.h"

#include <vecframe/error.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "job/directory_lock.h"
#include "job/output_path.h"
#include "storage/local_file.h"

namespace vecframe::job {
namespace {

namespace fs = std::filesystem;
using SchemaPointer = std::shared_ptr<const columnar::Schema>;

/// One Parquet file under construction.
class Part {
 public:
  Part(const std::string& path, const SchemaPointer& schema, storage::TableModule& tables)
      : path_(path),
        file_(std::make_unique<storage::PendingFile>(path)),
        writer_(tables.create_parquet(file_->temporary_path(), schema)) {}

  void write(columnar::Batch batch, std::int64_t num_failed) {
    num_rows_ += batch.num_rows();
    num_failed_ += num_failed;
    writer_->write(std::move(batch));
  }
  void write(const columnar::Morsel& morsel) {
    num_rows_ += morsel.num_rows;
    writer_->write(morsel);
  }
  void close() {
    if (writer_ == nullptr) return;
    writer_->add_metadata("vecframe.rows", std::to_string(num_rows_));
    writer_->add_metadata("vecframe.failed", std::to_string(num_failed_));
    writer_->close();
    writer_.reset();
  }
  void commit() { file_->commit(); }

  const std::string& path() const { return path_; }
  std::int64_t num_rows() const { return num_rows_; }
  std::int64_t num_failed() const { return num_failed_; }

 private:
  std::string path_;
  std::unique_ptr<storage::PendingFile> file_;
  std::unique_ptr<storage::TableWriter> writer_;  // writes into file_
  std::int64_t num_rows_ = 0;
  std::int64_t num_failed_ = 0;
};

class FileOutput final : public TableOutput {
 public:
  FileOutput(const std::string& path, const SchemaPointer& schema, storage::TableModule& tables)
      : part_(path, schema, tables) {}
  void write(columnar::Batch batch, std::int64_t num_failed) override {
    part_.write(std::move(batch), num_failed);
  }
  void write(const columnar::Morsel& morsel) override { part_.write(morsel); }
  void close() override { part_.close(); }
  std::vector<std::string> parts() const override { return {part_.path()}; }
  void commit(const std::string& /*report*/) override { part_.commit(); }

 private:
  Part part_;
};

/// An output directory that is ours for the time being; one that was made for the run goes again
/// unless it is kept.
class OwnedDirectory {
 public:
  OwnedDirectory(const std::string& path, WriteMode mode) : path_(path) {
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
    std::error_code error;
    created_ = fs::create_directory(path_, error);
    if (error) throw RunError("cannot create the directory " + path_ + ": " + error.message());
    lock_ = std::make_unique<DirectoryLock>(path_);
    check_output(path, mode);  // again: another run may have ended since
    for (const std::string& name : names()) {
      if (name != "_lock" && is_left_over(name)) remove(name);
    }
  }
  ~OwnedDirectory() {
    lock_.reset();
    std::error_code ignored;
    if (created_ && !kept_) fs::remove(path_, ignored);  // only if nothing else is in it
  }

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    std::error_code error;
    for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
         entry.increment(error)) {
      result.push_back(entry->path().filename().string());
    }
    return result;
  }
  void remove(const std::string& name) const {
    std::error_code ignored;
    fs::remove(file(name), ignored);
  }
  void keep() { kept_ = true; }

 private:
  std::string path_;
  std::unique_ptr<DirectoryLock> lock_;
  bool created_ = false;
  bool kept_ = false;
};

class DirectoryOutput final : public TableOutput {
 public:
  DirectoryOutput(const EmbedJob& job, SchemaPointer schema, storage::TableModule& tables)
      : schema_(std::move(schema)),
        tables_(tables),
        rows_per_part_(job.rows_per_part),
        directory_(job.output, job.mode) {}

  ~DirectoryOutput() override {
    if (committed_) return;
    for (const std::string& name : appeared_) directory_.remove(name);
  }

  void write(columnar::Batch batch, std::int64_t num_failed) override {
    if (parts_.empty() || parts_.back().num_rows() >= rows_per_part_) begin_part();
    parts_.back().write(std::move(batch), num_failed);
  }
  void write(const columnar::Morsel& morsel) override {
    if (parts_.empty() || parts_.back().num_rows() >= rows_per_part_) begin_part();
    parts_.back().write(morsel);
  }

  void close() override {
    if (parts_.empty()) begin_part();
    parts_.back().close();
  }

  std::vector<std::string> parts() const override {
    std::vector<std::string> paths;
    for (const Part& part : parts_) paths.push_back(part.path());
    return paths;
  }

  // An earlier output is without a manifest from the first rename to the last: a reader that cares
  // sees that it is being replaced.
  void commit(const std::string& report) override {
    std::set<std::string> earlier;
    for (const std::string& name : directory_.names()) {
      if (is_part_name(name)) earlier.insert(name);
    }
    directory_.remove(kManifestName);
    directory_.remove(kReportName);
    for (std::size_t shard = 0; shard < parts_.size(); ++shard) {
      const std::string name = part_name(static_cast<std::int64_t>(shard));
      parts_[shard].commit();
      appeared_.push_back(name);
      earlier.erase(name);
    }
    for (const std::string& name : earlier) directory_.remove(name);
    appeared_.emplace_back(kReportName);
    storage::write_file(directory_.file(kReportName), report + "\n");
    appeared_.emplace_back(kManifestName);
    storage::write_file(directory_.file(kManifestName), manifest() + "\n");
    committed_ = true;
    directory_.keep();
  }

 private:
  void begin_part() {
    if (!parts_.empty()) parts_.back().close();
    const std::string name = part_name(static_cast<std::int64_t>(parts_.size()));
    parts_.emplace_back(directory_.file(name), schema_, tables_);
  }

  std::string manifest() const {
    nlohmann::ordered_json json;
    json["format"] = 1;
    for (const auto& [key, value] : schema_->metadata) json["metadata"][key] = value;
    json["columns"] = nlohmann::ordered_json::array();
    for (const columnar::Field& field : schema_->fields) {
      json["columns"].push_back({{"name", field.name}, {"type", field.type.to_string()}});
    }
    json["parts"] = nlohmann::ordered_json::array();
    for (std::size_t shard = 0; shard < parts_.size(); ++shard) {
      json["parts"].push_back({{"file", part_name(static_cast<std::int64_t>(shard))},
                               {"rows", parts_[shard].num_rows()},
                               {"failed", parts_[shard].num_failed()}});
    }
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  const SchemaPointer schema_;
  storage::TableModule& tables_;
  const std::int64_t rows_per_part_;
  OwnedDirectory directory_;  // outlives the parts in it
  std::vector<Part> parts_;
  std::vector<std::string> appeared_;  // visible names of this run
  bool committed_ = false;
};

}  // namespace

std::unique_ptr<TableOutput> open_output(const EmbedJob& job, SchemaPointer schema,
                                         storage::TableModule& tables) {
  check_output(job.output, job.mode);
  if (output_kind(job.output) == OutputKind::kFile) {
    return std::make_unique<FileOutput>(job.output, schema, tables);
  }
  return std::make_unique<DirectoryOutput>(job, std::move(schema), tables);
}

}  // namespace vecframe::job
