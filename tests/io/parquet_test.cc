#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <vecframe/error.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <stdexcept>

#include "example_table.h"
#include "storage/table_io.h"
#include "temporary_directory.h"

namespace vecframe::io {
namespace {

using storage::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

storage::TableModule& module() {
  static storage::TableModule* const opened = [] {
    void* handle = ::dlopen(VECFRAME_IO_MODULE, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(::dlerror());
    using Entry = storage::TableModule* (*)();
    return reinterpret_cast<Entry>(::dlsym(handle, storage::kTableModuleSymbol))();
  }();
  return *opened;
}

// Rows 0 to `num_rows` in batches of `batch_rows`.
void write_example(const std::string& path, std::int64_t dimension, std::int64_t num_rows,
                   std::int64_t batch_rows) {
  const auto schema = example_schema(dimension);
  const auto writer = module().create_parquet(path, schema);
  for (std::int64_t row = 0; row < num_rows; row += batch_rows) {
    writer->write(example_batch(schema, row, std::min(batch_rows, num_rows - row)));
    ASSERT_LE(writer->buffered_bytes(), 8 << 20);
  }
  writer->add_metadata("vecframe.rows", std::to_string(num_rows));
  writer->close();
}

arrow::Result<std::shared_ptr<arrow::Table>> read(storage::TableReader& reader,
                                                  const std::vector<std::string>& columns) {
  ArrowArrayStream stream;
  reader.open_stream(columns, &stream);
  ARROW_ASSIGN_OR_RAISE(auto batches, arrow::ImportRecordBatchReader(&stream));
  return batches->ToTable();
}

template <class Error, class Action>
std::string thrown(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "(nothing)";
}

std::ptrdiff_t num_threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST(Parquet, GivesBackWhatWasWritten) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  constexpr std::int64_t kRows = 3000, kDimension = 300;
  write_example(path, kDimension, kRows, 700);
  const auto reader = module().open_parquet(path);
  EXPECT_EQ(reader->facts().num_rows, kRows);
  EXPECT_GT(reader->facts().num_row_groups, 1);
  const auto read_back = read(*reader, {"path", "embedding", "error", "width", "row"});
  ASSERT_TRUE(read_back.ok()) << read_back.status().ToString();
  ASSERT_TRUE((*read_back)->ValidateFull().ok());
  std::vector<columnar::Batch> batches;
  const auto schema = example_schema(kDimension);
  batches.push_back(example_batch(schema, 0, kRows));
  ArrowArrayStream stream;
  columnar::export_stream(schema, std::move(batches), &stream);
  const auto expected = (*arrow::ImportRecordBatchReader(&stream))->ToTable().ValueOrDie();
  EXPECT_TRUE((*read_back)->Equals(*expected)) << (*read_back)->schema()->ToString();
}

TEST(Parquet, TheFactsNameTypesAndMetadata) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  write_example(path, 16, 10, 10);
  const auto reader = module().open_parquet(path);
  const storage::TableFacts& facts = reader->facts();
  EXPECT_THAT(facts.type_names,
              ElementsAre("String", "Embedding[Float32; 16]", "String", "UInt32", "Int64"));
  const auto schema = example_schema(16);
  ASSERT_EQ(facts.schema.fields.size(), schema->fields.size());
  for (std::size_t i = 0; i < schema->fields.size(); ++i) {
    EXPECT_EQ(facts.schema.fields[i].name, schema->fields[i].name);
    EXPECT_EQ(facts.schema.fields[i].type, schema->fields[i].type);
    EXPECT_EQ(facts.schema.fields[i].nullable, schema->fields[i].nullable);
  }
  std::multimap<std::string, std::string> metadata(facts.schema.metadata.begin(),
                                                   facts.schema.metadata.end());
  EXPECT_EQ(metadata.count("vecframe.model"), 1u);
  EXPECT_EQ(metadata.count("vecframe.rows"), 1u);
  EXPECT_EQ(metadata.count("ARROW:schema"), 0u);
  EXPECT_EQ(metadata.find("vecframe.rows")->second, "10");
}

TEST(Parquet, TheExtensionTypeSurvives) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  write_example(path, 16, 10, 10);
  ArrowArrayStream stream;
  module().open_parquet(path)->open_stream({"embedding"}, &stream);  // which outlives its reader
  const auto batches = arrow::ImportRecordBatchReader(&stream).ValueOrDie();
  const auto field = batches->schema()->field(0);
  EXPECT_EQ(field->type()->ToString(), "fixed_size_list<item: float not null>[16]");
  ASSERT_NE(field->metadata(), nullptr);
  EXPECT_EQ(field->metadata()->Get("ARROW:extension:name").ValueOr(""), "vecframe.embedding");
  EXPECT_EQ(field->metadata()->Get("ARROW:extension:metadata").ValueOr(""),
            R"({"dtype":"float32","dimension":16})");
  EXPECT_EQ(batches->ToTable().ValueOrDie()->num_rows(), 10);
}

TEST(Parquet, ColumnsComeInTheOrderAskedFor) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  write_example(path, 4, 100, 30);
  const auto reader = module().open_parquet(path);
  const auto table = read(*reader, {"row", "embedding", "path"}).ValueOrDie();
  EXPECT_THAT(table->ColumnNames(), ElementsAre("row", "embedding", "path"));
  EXPECT_EQ(read(*reader, {"width"}).ValueOrDie()->num_rows(), 100) << "a second stream";
  EXPECT_THAT(thrown<RequestError>([&] {
                static_cast<void>(read(*reader, {"row", "colour"}));
              }),
              HasSubstr("'colour'"));
}

TEST(Parquet, NoRowsAreAValidFile) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  write_example(path, 8, 0, 1);
  const auto reader = module().open_parquet(path);
  EXPECT_EQ(reader->facts().num_rows, 0);
  EXPECT_EQ(reader->facts().schema.find("embedding"), 1);
  EXPECT_EQ(read(*reader, {"path", "embedding"}).ValueOrDie()->num_rows(), 0);
}

TEST(Parquet, RowsThatAllFailedHaveNoVector) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  const auto schema = example_schema(8);
  const auto writer = module().create_parquet(path, schema);
  for (int i = 0; i < 20; ++i) writer->write(example_batch(schema, 3, 1));
  writer->close();
  const auto table = read(*module().open_parquet(path), {"embedding"}).ValueOrDie();
  EXPECT_TRUE(table->ValidateFull().ok());
  EXPECT_EQ(table->column(0)->null_count(), 20);
}

TEST(Parquet, AWriterThatIsGivenUpLeavesNoTable) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  {
    const auto schema = example_schema(8);
    const auto writer = module().create_parquet(path, schema);
    writer->write(example_batch(schema, 0, 100));
  }
  EXPECT_THAT(thrown<RequestError>([&] { module().open_parquet(path); }), HasSubstr(path));
}

TEST(Parquet, WhatIsNoTableIsARequestErrorOfOneLine) {
  const TemporaryDirectory directory;
  const std::string text = directory.add("text.parquet", std::string(1000, 't'));
  const std::string empty = directory.add("empty.parquet", "");
  const std::string pipe = directory / "pipe.parquet";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path :
       {text, empty, pipe, directory.path(), directory / "absent.parquet"}) {
    const std::string message = thrown<RequestError>([&] { module().open_parquet(path); });
    EXPECT_THAT(message, HasSubstr(path));
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(Parquet, AFileThatCannotBeWrittenIsARunError) {
  const TemporaryDirectory directory;
  const std::string path = directory / "absent/t.parquet";
  EXPECT_THAT(thrown<RunError>([&] { module().create_parquet(path, example_schema(2)); }),
              HasSubstr(path));
}

TEST(Parquet, AFullDiskIsARunError) {
  const TemporaryDirectory directory;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 100 << 10;
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string message = thrown<RunError>(
      [&] { write_example(directory / "t.parquet", /*dimension=*/300, /*num_rows=*/3000, 700); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("t.parquet"));
}

// Damage is an error or other values, never a crash; the sanitizers watch.
TEST(Parquet, DamagedFilesDoNoHarm) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  write_example(path, 4, 50, 20);
  std::ifstream file(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string damaged = whole;
    if (i % 4 == 0) damaged.resize(below(whole.size()));
    for (std::size_t n = i % 4; n > 0; --n) {
      damaged[below(damaged.size())] = static_cast<char>(random());
    }
    directory.add("damaged.parquet", damaged);
    try {
      const auto reader = module().open_parquet(directory / "damaged.parquet");
      if (!read(*reader, {"path", "embedding", "row"}).ok()) ++refused;
    } catch (const RequestError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(Parquet, StartsNoThreads) {
  const TemporaryDirectory directory;
  const std::ptrdiff_t before = num_threads();
  write_example(directory / "t.parquet", 64, 2000, 500);
  const auto reader = module().open_parquet(directory / "t.parquet");
  EXPECT_EQ(read(*reader, {"path", "embedding"}).ValueOrDie()->num_rows(), 2000);
  EXPECT_EQ(num_threads(), before);
}

TEST(Module, SaysItsVersion) { EXPECT_EQ(module().abi(), storage::kTableModuleAbi); }

TEST(Parquet, HalvesSurvive) {
  const TemporaryDirectory directory;
  const std::string path = directory / "t.parquet";
  const columnar::DataType type{columnar::TypeKind::kEmbedding, 2, tensor::DType::kF16};
  auto schema = std::make_shared<columnar::Schema>();
  schema->fields = {{"embedding", type, true}};
  std::vector<columnar::ColumnBuilder> columns;
  columns.emplace_back(type);
  columns[0].append(std::vector<float>{0.5f, -3});
  columns[0].append_null();
  const auto writer = module().create_parquet(path, schema);
  writer->write(columnar::Batch(schema, columns));
  writer->close();
  const auto reader = module().open_parquet(path);
  EXPECT_EQ(reader->facts().schema.fields[0].type, type);
  const auto table = read(*reader, {"embedding"}).ValueOrDie();
  const auto row = table->column(0)->GetScalar(0).ValueOrDie();
  EXPECT_THAT(table->schema()->field(0)->ToString(), HasSubstr("halffloat"));
  EXPECT_THAT(row->ToString(), HasSubstr("0.5"));
  EXPECT_FALSE(table->column(0)->GetScalar(1).ValueOrDie()->is_valid);
}

}  // namespace
}  // namespace vecframe::io
