// The planner, the sink, the commits and the manifest of a job over as many rows as one likes, with
// made-up names and vectors, and tables that are written nowhere: what a run costs besides reading
// and embedding. Then the same run resumed with nothing left to do.
//
// Prints CSV: phase, shards, rows, seconds, seconds a shard, resident bytes.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/large_blocks.h"
#include "job/directory_run.h"
#include "job/file_planner.h"
#include "job/shard_sink.h"

namespace vecframe::job {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kDimension = 16;

class NoTable final : public storage::TableWriter {
 public:
  void write(columnar::Batch /*batch*/) override {}
  void write(const columnar::Morsel& /*morsel*/) override {}
  void add_metadata(const std::string& /*key*/, const std::string& /*value*/) override {}
  void close() override {}
  std::int64_t buffered_bytes() const override { return 0; }
};

class NoTables final : public storage::TableModule {
 public:
  int abi() const override { return storage::kTableModuleAbi; }
  std::unique_ptr<storage::TableWriter> create_parquet(
      const std::string& /*path*/, std::shared_ptr<const columnar::Schema> /*schema*/) override {
    return std::make_unique<NoTable>();
  }
  std::unique_ptr<storage::TableReader> open_parquet(const std::string& path) override {
    throw std::logic_error("a simulation reads no table: " + path);
  }
  std::string write_ipc(const columnar::Schema& /*schema*/,
                        std::span<const columnar::Morsel> /*morsels*/) override {
    throw std::logic_error("a simulation writes no rows as text");
  }
  void read_ipc(std::string_view /*bytes*/, ArrowArrayStream* /*out*/) override {
    throw std::logic_error("a simulation reads no rows from text");
  }
  storage::Relational& relational() override {
    throw std::logic_error("a simulation has no relations");
  }
};

class Names final : public storage::Listing {
 public:
  explicit Names(std::int64_t count) : count_(count) {}
  std::optional<std::string> next() override {
    if (next_ == count_) return std::nullopt;
    const std::int64_t row = next_++;
    return fmt::format("/data/photographs/{:05}/{:04}/IMG_{:09}.jpeg", row / 1'000'000,
                       row / 1000 % 1000, row);
  }

 private:
  const std::int64_t count_;
  std::int64_t next_ = 0;
};

KeyedFile key_file(const std::string& path) { return {key_of(path, {150'000, 17}), 150'000}; }

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class Table {
 public:
  explicit Table(std::int64_t lines) : lines_(lines) {
    fmt::print("phase,shards,rows,seconds,seconds_a_shard,resident_bytes\n");
  }
  void begin(std::string phase, std::int64_t shards) {
    phase_ = std::move(phase);
    every_ = std::max<std::int64_t>(1, shards / lines_);
    start_ = last_ = Clock::now();
    last_shards_ = 0;
  }
  void add(std::int64_t shards, std::int64_t rows) {
    if (shards % every_ != 0) return;
    const Clock::time_point now = Clock::now();
    const auto seconds = [](Clock::duration time) {
      return std::chrono::duration<double>(time).count();
    };
    fmt::print("{},{},{},{:.3f},{:.6f},{}\n", phase_, shards, rows, seconds(now - start_),
               seconds(now - last_) / static_cast<double>(shards - last_shards_), resident_bytes());
    std::fflush(stdout);
    last_ = now;
    last_shards_ = shards;
  }

 private:
  const std::int64_t lines_;
  std::string phase_;
  std::int64_t every_ = 1, last_shards_ = 0;
  Clock::time_point start_, last_;
};

std::shared_ptr<const columnar::Schema> make_schema() {
  auto schema = std::make_shared<columnar::Schema>();
  schema->fields = {{"path", {columnar::TypeKind::kString}, false},
                    {"embedding", {columnar::TypeKind::kEmbedding, kDimension}, true}};
  return schema;
}

void run_first(const std::string& directory, std::int64_t rows, std::int64_t rows_per_part,
               Table& table) {
  NoTables tables;
  const auto schema = make_schema();
  OutputOptions writing;
  writing.rows_per_part = rows_per_part;
  DirectoryRun run(directory, writing, schema, Recipe("files"), tables);
  Names names(rows);
  PlannerOptions options;
  options.rows_per_part = rows_per_part;
  options.bytes_per_part = std::int64_t{1} << 60;
  options.scratch = directory;
  FilePlanner planner(names, key_file, options, run.inventory(), run.index());
  PlannedRows planned;
  using Source = OutputColumn::Source;
  ShardSink sink(run.writer(), planned, schema,
                 {{Source::kPath, "path"}, {Source::kEmbedding, "embedding"}},
                 sink_memory(std::int64_t{512} << 20), /*with_keys=*/true);
  std::vector<float> vector(kDimension);
  exec::Row row;
  std::int64_t num_rows = 0, num_shards = 0;
  while (std::optional<PlannedRow> next = planner.next()) {
    planned.push({next->key, next->shard, next->ends_shard});
    for (std::size_t i = 0; i < vector.size(); ++i)
      vector[i] = static_cast<float>(num_rows + static_cast<std::int64_t>(i));
    row.index = num_rows;
    row.path = std::move(next->path);
    row.embedding = vector;
    sink.write(row);
    ++num_rows;
    if (next->ends_shard) table.add(++num_shards, num_rows);
  }
  sink.finish();
  Report report;
  run.finish(report);
}

void run_again(const std::string& directory, std::int64_t rows, std::int64_t rows_per_part,
               Table& table) {
  KeyIndex index(directory);
  {
    Names names(rows);
    std::int64_t row = 0;
    while (const auto path = names.next()) {
      index.add(key_file(*path).key, {static_cast<std::uint32_t>(row / rows_per_part),
                                      static_cast<std::uint32_t>(row % rows_per_part)});
      if (++row % rows_per_part == 0) table.add(row / rows_per_part, row);
    }
  }
  index.finish();
  table.begin("look up", rows / rows_per_part);
  Names names(rows);
  std::int64_t row = 0, found = 0;
  while (const auto path = names.next()) {
    found += index.find(key_file(*path).key) ? 1 : 0;
    if (++row % rows_per_part == 0) table.add(row / rows_per_part, row);
  }
  if (found != rows) throw std::logic_error("rows are missing");
}

}  // namespace
}  // namespace vecframe::job

int main(int argc, char** argv) {
  using namespace vecframe::job;
  std::int64_t rows = 1'000'000, rows_per_part = 8192, lines = 100;
  std::string directory = "shard-simulation";
  CLI::App app{"Plans and commits made-up rows; prints what memory and time that takes."};
  app.add_option("--rows", rows)->capture_default_str();
  app.add_option("--rows-per-part", rows_per_part)->capture_default_str();
  app.add_option("--lines", lines, "of each phase")->capture_default_str();
  app.add_option("--directory", directory, "is made, and removed again")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  vecframe::map_large_blocks();  // as every run does
  Table table(lines);
  table.begin("run", rows / rows_per_part);
  run_first(directory, rows, rows_per_part, table);
  table.begin("index", rows / rows_per_part);
  run_again(directory, rows, rows_per_part, table);
  std::filesystem::remove_all(directory);
  return 0;
}
