// Rows in memory as bytes, and back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <string>
#include <vector>

#include "arrow_morsels.h"
#include "columnar/batch.h"

namespace vecframe::io {
namespace {

using testing::HasSubstr;

const auto kSchema =
    arrow::schema({arrow::field("i", arrow::int64()), arrow::field("t", arrow::list(arrow::utf8())),
                   arrow::field("f", arrow::fixed_size_list(arrow::float32(), 2))});

columnar::Morsel rows() {
  return to_morsel({json(kSchema->field(0)->type(), "[1, null, 3]"),
                    json(kSchema->field(1)->type(), R"([["a"], null, []])"),
                    json(kSchema->field(2)->type(), "[[1, 2], [3, 4], null]")});
}

std::string written() {
  const std::vector<columnar::Morsel> morsels{rows(), rows()};
  return table_module().write_ipc(to_schema(*kSchema), morsels);
}

TEST(Ipc, RowsComeBack) {
  ArrowArrayStream stream{};
  table_module().read_ipc(written(), &stream);
  ArrowSchema schema{};
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
  EXPECT_EQ(columnar::import_schema(schema).fields, to_schema(*kSchema).fields);
  schema.release(&schema);
  const columnar::Morsel expected = rows();
  for (int i = 0; i < 2; ++i) {
    ArrowArray array{};
    ASSERT_EQ(stream.get_next(&stream, &array), 0);
    const columnar::Morsel got = columnar::morsel_of(array);
    for (int column = 0; column < 3; ++column) {
      const auto type = kSchema->field(column)->type();
      const auto at = static_cast<std::size_t>(column);
      EXPECT_TRUE(to_array(got.columns[at], type)->Equals(to_array(expected.columns[at], type)));
    }
  }
  ArrowArray end{};
  ASSERT_EQ(stream.get_next(&stream, &end), 0);
  EXPECT_EQ(end.release, nullptr);
  stream.release(&stream);
}

TEST(Ipc, NoRowsAreATableToo) {
  ArrowArrayStream stream{};
  table_module().read_ipc(table_module().write_ipc(to_schema(*kSchema), {}), &stream);
  ArrowArray end{};
  ASSERT_EQ(stream.get_next(&stream, &end), 0);
  EXPECT_EQ(end.release, nullptr);
  stream.release(&stream);
}

TEST(Ipc, BrokenBytesAreRefusedOrSound) {
  const std::string good = written();
  const auto read = [](const std::string& bytes) {
    ArrowArrayStream stream{};
    try {
      table_module().read_ipc(bytes, &stream);
    } catch (const RequestError& error) {
      EXPECT_THAT(error.what(), HasSubstr("Arrow's streaming format"));
      return;
    }
    stream.release(&stream);
  };
  EXPECT_THROW(
      {
        ArrowArrayStream stream{};
        table_module().read_ipc("nothing", &stream);
      },
      RequestError);
  for (std::size_t length = 0; length < good.size(); length += 3) read(good.substr(0, length));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    read(changed);
  }
}

}  // namespace
}  // namespace vecframe::io
