#include <arrow/array/concatenate.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <numeric>
#include <random>

#include "arrow_morsels.h"
#include "columnar/array_view.h"
#include "columnar/batch.h"
#include "columnar/image_builder.h"

namespace vecframe::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Rows = std::vector<std::int64_t>;

const storage::Relational& relational() { return table_module().relational(); }

// Columns of five rows of every kind of layout.
std::vector<std::shared_ptr<arrow::Array>> every_type() {
  const auto item =
      arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8_view())});
  std::vector<std::shared_ptr<arrow::Array>> all{
      json(arrow::int16(), "[1, null, 3, 4, 5]"),
      json(arrow::boolean(), "[true, null, false, true, false]"),
      json(arrow::utf8(), R"(["a", null, "", "ddd", "e"])"),
      json(arrow::large_utf8(), R"(["a", null, "", "ddd", "e"])"),
      json(arrow::utf8_view(), R"(["a", null, "", "a text longer than a view", "e"])"),
      json(arrow::fixed_size_binary(2), R"(["aa", null, "bb", "cc", "dd"])"),
      json(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), "[1, null, 3, 4, 5]"),
      json(arrow::duration(arrow::TimeUnit::NANO), "[1, null, 3, 4, 5]"),
      json(arrow::decimal128(5, 1), R"(["1.5", null, "2.5", "3.5", "4.5"])"),
      json(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["x", null, "y", "x", "z"])"),
      json(arrow::list(arrow::list(arrow::int8())), "[[[1], []], null, [], [null, [2, 3]], [[4]]]"),
      json(arrow::large_list(arrow::utf8()), R"([["a", null], null, [], ["b"], ["c"]])"),
      json(arrow::list(arrow::utf8_view()),
           R"([["a", null], null, [], ["a text longer than a view"], ["c"]])"),
      json(item, R"([{"a": 1, "b": "x"}, null, {"a": null, "b": "y"}, {"a": 3, "b": null},
                     {"a": 4, "b": "z"}])"),
      json(arrow::fixed_size_list(arrow::float32(), 2), "[[1, 2], null, [3, 4], [5, 6], [7, 8]]"),
      json(arrow::map(arrow::utf8(), arrow::int32()),
           R"([[["k", 1]], null, [], [["l", 2], ["m", null]], []])"),
      json(arrow::null(), "[null, null, null, null, null]"),
  };
  all.push_back(
      json(arrow::list(item), R"([[{"a": 1, "b": "x"}], null, [], [null], [null, null]])"));
  return all;
}

columnar::Schema schema_of(const std::vector<std::shared_ptr<arrow::Array>>& arrays) {
  arrow::FieldVector fields;
  for (const auto& array : arrays)
    fields.push_back(arrow::field("c" + std::to_string(fields.size()), array->type()));
  return to_schema(*arrow::schema(fields));
}

void expect_rows(const columnar::Morsel& morsel,
                 const std::vector<std::shared_ptr<arrow::Array>>& arrays, const Rows& rows) {
  ASSERT_EQ(morsel.num_rows, static_cast<std::int64_t>(rows.size()));
  ASSERT_EQ(morsel.columns.size(), arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto column = to_array(morsel.columns[i], arrays[i]->type());
    ASSERT_EQ(column->length(), morsel.num_rows);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto row = static_cast<std::int64_t>(r);
      EXPECT_TRUE(column->RangeEquals(*arrays[i], row, row + 1, rows[r]))
          << arrays[i]->type()->ToString() << " row " << rows[r] << "\n"
          << column->ToString();
    }
  }
}

TEST(RelationalRows, TakesAcrossMorselsOfEveryType) {
  const auto arrays = every_type();
  const columnar::Schema schema = schema_of(arrays);
  std::vector<std::shared_ptr<arrow::Array>> first, none, second;
  for (const auto& array : arrays) {
    first.push_back(array->Slice(0, 2));
    none.push_back(array->Slice(2, 0));
    second.push_back(array->Slice(2, 3));
  }
  const std::vector<columnar::Morsel> morsels{to_morsel(first), to_morsel(none), to_morsel(second)};
  for (const Rows& rows :
       {Rows{4, 0, 2, 0, 1, 3, 3}, Rows{0, 1, 2, 3, 4}, Rows{3}, Rows{1, 1}, Rows{2, 4}, Rows{}})
    expect_rows(relational().take(schema, morsels, rows), arrays, rows);
  expect_rows(relational().take(schema, {}, {}), arrays, {});
}

TEST(RelationalRows, DictionariesOfMorselsMayDiffer) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const std::vector<std::shared_ptr<arrow::Array>> first{json(type, R"(["x", "y"])")},
      second{json(type, R"(["y", null, "z"])")},
      all{json(arrow::utf8(), R"(["x", "y", "y", null, "z"])")};
  const std::vector<columnar::Morsel> morsels{to_morsel(first), to_morsel(second)};
  const columnar::Schema schema = schema_of(first);
  const auto taken =
      to_array(relational().take(schema, morsels, Rows{4, 2, 0, 3}).columns[0], type);
  std::string text;
  for (std::int64_t i = 0; i < 4; ++i)
    text += taken->IsNull(i)
                ? "null "
                : static_cast<const arrow::DictionaryScalar&>(*taken->GetScalar(i).ValueOrDie())
                          .GetEncodedValue()
                          .ValueOrDie()
                          ->ToString() +
                      " ";
  EXPECT_EQ(text, "z y x null ");
}

TEST(RelationalRows, FiltersAndSlicesEveryType) {
  const auto arrays = every_type();
  const columnar::Schema schema = schema_of(arrays);
  const columnar::Morsel morsel = to_morsel(arrays);
  const auto masked = [&](const std::string& mask) {
    return relational().filter(schema, morsel,
                               to_morsel({json(arrow::boolean(), mask)}).columns[0]);
  };
  expect_rows(masked("[true, false, null, true, true]"), arrays, {0, 3, 4});
  expect_rows(masked("[true, true, true, true, true]"), arrays, {0, 1, 2, 3, 4});
  expect_rows(masked("[false, false, null, false, false]"), arrays, {});
  const auto long_mask = json(arrow::boolean(), "[true, true, false, true, true, false, false]");
  expect_rows(relational().filter(schema, morsel, to_morsel({long_mask->Slice(2, 5)}).columns[0]),
              arrays, {1, 2});
  const columnar::Morsel tail = relational().slice(morsel, 1, 4);
  expect_rows(tail, arrays, {1, 2, 3, 4});
  expect_rows(relational().slice(tail, 2, 1), arrays, {3});
  expect_rows(relational().slice(tail, 4, 0), arrays, {});
  expect_rows(relational().take(schema, {&tail, 1}, Rows{3, 0}), arrays, {4, 1});
  EXPECT_THROW(relational().slice(morsel, 3, 3), std::out_of_range);
  EXPECT_THROW(relational().take(schema, {&morsel, 1}, Rows{5}), std::out_of_range);
}

TEST(RelationalRows, RowsWithoutColumnsAreCounted) {
  const columnar::Morsel morsel{{}, 3};
  EXPECT_EQ(relational().slice(morsel, 1, 2).num_rows, 2);
  EXPECT_EQ(relational().take({}, {&morsel, 1}, Rows{2, 0, 0, 1}).num_rows, 4);
}

TEST(RelationalRows, EmbeddingsAndPicturesAreTheirRows) {
  const columnar::DataType vector{columnar::TypeKind::kEmbedding, 3};
  columnar::DataType mixed{columnar::TypeKind::kImage}, fixed{columnar::TypeKind::kImage};
  fixed.image = {3, 2, 1};
  columnar::Schema schema;
  schema.fields = {{"v", vector, true}, {"m", mixed, true}, {"f", fixed, true}};
  const auto make = [&](int from, int count) {
    columnar::ColumnBuilder vectors(vector);
    columnar::ImageBuilder varied(mixed.image), same(fixed.image);
    for (int i = from; i < from + count; ++i) {
      if (i % 4 == 3) {
        vectors.append_null();
        varied.append_null();
        same.append_null();
        continue;
      }
      const auto value = static_cast<float>(i);
      vectors.append(std::vector<float>{value, value + 0.25f, value + 0.5f});
      const std::vector<std::uint8_t> pixels(6, static_cast<std::uint8_t>(i));
      varied.append(1, 1, static_cast<std::uint32_t>(i + 1), 1,
                    std::vector<std::uint8_t>(static_cast<std::size_t>(i + 1), pixels[0]));
      same.append(3, 3, 2, 1, pixels);
    }
    columnar::Morsel morsel{{}, count};
    ArrowArray array;
    vectors.finish(&array);
    morsel.columns.push_back(columnar::share(array));
    varied.finish(&array);
    morsel.columns.push_back(columnar::share(array));
    same.finish(&array);
    morsel.columns.push_back(columnar::share(array));
    return morsel;
  };
  const std::vector<columnar::Morsel> morsels{make(0, 5), make(5, 0),
                                              relational().slice(make(3, 6), 2, 4)};
  const Rows rows{8, 0, 3, 6, 5, 7, 4};
  const columnar::Morsel taken = relational().take(schema, morsels, rows);
  std::vector<float> scratch;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto row = static_cast<std::int64_t>(r);
    const bool valid = rows[r] % 4 != 3;
    for (const auto& column : taken.columns) EXPECT_EQ(columnar::is_valid(*column, row), valid);
    if (!valid) continue;
    EXPECT_EQ(columnar::embedding_at(*taken.columns[0], row, vector, scratch)[1],
              static_cast<float>(rows[r]) + 0.25f);
    const auto varied = columnar::image_at(*taken.columns[1], row, mixed.image);
    EXPECT_EQ(varied.height, static_cast<std::uint32_t>(rows[r] + 1));
    EXPECT_EQ(varied.pixels.size(), static_cast<std::size_t>(rows[r] + 1));
    EXPECT_EQ(varied.pixels.back(), rows[r]);
    EXPECT_EQ(columnar::image_at(*taken.columns[2], row, fixed.image).pixels[5], rows[r]);
  }
  const storage::SortKey key{"v"};
  EXPECT_THROW(static_cast<void>(relational().sort_rows(schema, morsels, {&key, 1})), RequestError);
}

Rows sorted(const std::shared_ptr<arrow::Array>& a, const std::shared_ptr<arrow::Array>& b,
            const std::vector<storage::SortKey>& keys) {
  const columnar::Schema schema =
      to_schema(*arrow::schema({arrow::field("a", a->type()), arrow::field("b", b->type())}));
  const std::int64_t half = a->length() / 2;
  const std::vector<columnar::Morsel> morsels{to_morsel({a->Slice(0, half), b->Slice(0, half)}),
                                              to_morsel({a->Slice(0, 0), b->Slice(0, 0)}),
                                              to_morsel({a->Slice(half), b->Slice(half)})};
  return relational().sort_rows(schema, morsels, keys);
}

TEST(RelationalRows, SortsByManyKeysAndKeepsTheOrderOfEquals) {
  const auto a = json(arrow::int32(), "[2, 1, null, 2, 1, 2]");
  const auto b = json(arrow::utf8(), R"(["b", "z", "q", "a", null, "b"])");
  EXPECT_THAT(sorted(a, b, {{"a"}}), ElementsAre(1, 4, 0, 3, 5, 2));
  EXPECT_THAT(sorted(a, b, {{"a", true}}), ElementsAre(0, 3, 5, 1, 4, 2));
  EXPECT_THAT(sorted(a, b, {{"a", false, true}}), ElementsAre(2, 1, 4, 0, 3, 5));
  EXPECT_THAT(sorted(a, b, {{"a"}, {"b"}}), ElementsAre(1, 4, 3, 0, 5, 2));
  EXPECT_THAT(sorted(a, b, {{"a", true}, {"b", true, true}}), ElementsAre(0, 5, 3, 4, 1, 2));
  EXPECT_THAT(sorted(a, b, {}), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(RelationalRows, NaNComesAfterNumbersWhereverNullsAre) {
  for (const auto& type : {arrow::float32(), arrow::float64(), arrow::float16()}) {
    const auto a = json(type, "[NaN, 1, null, -1, NaN, null]");
    const auto b = json(arrow::int8(), "[1, 1, 1, 1, 0, 0]");
    EXPECT_THAT(sorted(a, b, {{"a"}}), ElementsAre(3, 1, 0, 4, 2, 5));
    EXPECT_THAT(sorted(a, b, {{"a", true}}), ElementsAre(1, 3, 0, 4, 2, 5));
    EXPECT_THAT(sorted(a, b, {{"a", false, true}}), ElementsAre(2, 5, 3, 1, 0, 4));
    EXPECT_THAT(sorted(a, b, {{"a", true, true}, {"b"}}), ElementsAre(5, 2, 1, 3, 4, 0));
  }
}

TEST(RelationalRows, SortsWhatHasAnOrderAndRefusesTheRest) {
  const auto b = json(arrow::int8(), "[0, 0, 0, 0]");
  const auto order = [&](const std::shared_ptr<arrow::DataType>& type, const std::string& values) {
    return sorted(json(type, values), b, {{"a"}, {"b"}});
  };
  const std::string texts = R"(["b", null, "c", "a"])";
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(), arrow::binary(),
                           arrow::binary_view(), arrow::fixed_size_binary(1),
                           arrow::dictionary(arrow::int32(), arrow::utf8())})
    EXPECT_THAT(order(type, texts), ElementsAre(3, 0, 2, 1)) << type->ToString();
  for (const auto& type :
       {arrow::timestamp(arrow::TimeUnit::SECOND, "UTC"), arrow::date32(), arrow::uint64(),
        arrow::duration(arrow::TimeUnit::MICRO), arrow::time64(arrow::TimeUnit::NANO)})
    EXPECT_THAT(order(type, "[5, null, 6, 4]"), ElementsAre(3, 0, 2, 1)) << type->ToString();
  for (const auto& type : {arrow::decimal32(5, 1), arrow::decimal64(5, 1), arrow::decimal128(5, 1),
                           arrow::decimal256(5, 1)})
    EXPECT_THAT(order(type, R"(["5.0", null, "6.5", "4.5"])"), ElementsAre(3, 0, 2, 1));
  EXPECT_THAT(order(arrow::boolean(), "[true, null, true, false]"), ElementsAre(3, 0, 2, 1));
  EXPECT_THAT(order(arrow::null(), "[null, null, null, null]"), ElementsAre(0, 1, 2, 3));
  const auto refused = [&](const std::shared_ptr<arrow::DataType>& type, const std::string& name) {
    try {
      sorted(json(type, "[null, null, null, null]"), b, {{name}});
    } catch (const RequestError& error) {
      return std::string(error.what());
    }
    return std::string("(nothing)");
  };
  EXPECT_THAT(refused(arrow::list(arrow::int8()), "a"),
              HasSubstr("'a' of type List[Int8] has no order"));
  EXPECT_THAT(refused(arrow::struct_({arrow::field("x", arrow::int8())}), "a"),
              HasSubstr("has no order"));
  EXPECT_THAT(refused(arrow::month_day_nano_interval(), "a"), HasSubstr("has no order"));
  EXPECT_THAT(refused(arrow::int8(), "aa"), HasSubstr("there is no column 'aa'"));
}

}  // namespace
}  // namespace vecframe::io
