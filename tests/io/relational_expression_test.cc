#include <arrow/array/concatenate.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <map>
#include <thread>

#include "arrow_morsels.h"

namespace vecframe::io {
namespace {

using columnar::Literal;
using columnar::ScalarExpression;
using testing::HasSubstr;

ScalarExpression col(const std::string& name) {
  return {ScalarExpression::Kind::kColumn, name, {}, {}};
}
ScalarExpression lit(Literal value) {
  return {ScalarExpression::Kind::kLiteral, "", std::move(value), {}};
}
ScalarExpression lit(const char* value) { return lit(Literal(std::string(value))); }
ScalarExpression lit(int value) { return lit(Literal(std::int64_t{value})); }
ScalarExpression call(const std::string& name, std::vector<ScalarExpression> arguments) {
  return {ScalarExpression::Kind::kCall, name, {}, std::move(arguments)};
}

// Columns of four rows, the last of them null.
struct Table {
  std::vector<std::string> names;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  void add(const std::string& name, const std::shared_ptr<arrow::DataType>& type,
           const std::string& values) {
    names.push_back(name);
    arrays.push_back(json(type, values));
  }
  columnar::Schema schema() const {
    arrow::FieldVector fields;
    for (std::size_t i = 0; i < names.size(); ++i)
      fields.push_back(arrow::field(names[i], arrays[i]->type()));
    return to_schema(*arrow::schema(fields));
  }
};

Table example() {
  Table table;
  table.add("u8", arrow::uint8(), "[1, 200, 3, null]");
  table.add("u32", arrow::uint32(), "[10, 20, 4294967295, null]");
  table.add("u64", arrow::uint64(), "[10, 20, 18446744073709551615, null]");
  table.add("i64", arrow::int64(), "[-5, 0, 9223372036854775807, null]");
  table.add("f32", arrow::float32(), "[0.5, -1.5, 2, null]");
  table.add("f64", arrow::float64(), "[0.5, -1.75, 100, null]");
  table.add("half", arrow::float16(), "[0.5, -1.5, 2, null]");
  table.add("b", arrow::boolean(), "[true, false, true, null]");
  table.add("s", arrow::utf8(), R"(["ab", "Äc", "", null])");
  table.add("ls", arrow::large_utf8(), R"(["ab", "Äc", "", null])");
  table.add("sv", arrow::utf8_view(), R"(["ab", "a text longer than a view", "", null])");
  table.add("dict", arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["ab", "Äc", "ab", null])");
  table.add("bin", arrow::binary(), R"(["ab", "c", "", null])");
  table.add("dec", arrow::decimal128(6, 2), R"(["1.50", "-2.25", "3.00", null])");
  table.add("dec32", arrow::decimal32(6, 2), R"(["1.50", "-2.25", "3.00", null])");
  table.add("ts", arrow::timestamp(arrow::TimeUnit::MICRO),
            R"(["2024-01-01", "2024-06-01", "2025-01-01", null])");
  table.add("date", arrow::date32(), "[0, 1, 20000, null]");
  table.add("list", arrow::list(arrow::int32()), "[[1], [], [2, 3], null]");
  table.add("null", arrow::null(), "[null, null, null, null]");
  return table;
}

// Of the rows, and of the same rows as the middle of longer arrays; and of no rows.
std::string evaluated(const ScalarExpression& expression) {
  const Table table = example();
  const columnar::Schema schema = table.schema();
  const storage::Relational& relational = table_module().relational();
  const columnar::DataType type = relational.type_of(expression, schema);
  ArrowSchema exported;
  columnar::export_field({"", type, true}, &exported);
  const auto arrow_type = arrow::ImportType(&exported).ValueOrDie();
  std::vector<std::shared_ptr<arrow::Array>> sliced, none;
  for (const auto& array : table.arrays) {
    const auto around =
        arrow::Concatenate({array->Slice(1, 2), array, array->Slice(0, 1)}).ValueOrDie();
    sliced.push_back(around->Slice(2, 4));
    none.push_back(array->Slice(4, 0));
  }
  const auto result =
      to_array(relational.evaluate(expression, schema, to_morsel(table.arrays)), arrow_type);
  const auto of_slices =
      to_array(relational.evaluate(expression, schema, to_morsel(sliced)), arrow_type);
  EXPECT_TRUE(result->Equals(*of_slices)) << of_slices->ToString();
  EXPECT_EQ(
      to_array(relational.evaluate(expression, schema, to_morsel(none)), arrow_type)->length(), 0);
  std::string text = type.to_string() + ":";
  for (std::int64_t i = 0; i < result->length(); ++i)
    text += " " + result->GetScalar(i).ValueOrDie()->ToString();
  return text;
}

std::string refused(const ScalarExpression& expression) {
  try {
    table_module().relational().type_of(expression, example().schema());
  } catch (const RequestError& error) {
    return error.what();
  }
  return "(nothing)";
}

TEST(RelationalExpression, Compares) {
  EXPECT_EQ(evaluated(call("less", {col("u8"), lit(3)})), "Boolean: true false false null");
  EXPECT_EQ(evaluated(call("greater", {col("u32"), lit(-1)})), "Boolean: true true true null");
  EXPECT_EQ(evaluated(call("greater", {col("u64"), lit(20)})), "Boolean: false false true null");
  EXPECT_EQ(evaluated(call("less_equal", {col("i64"), col("f64")})),
            "Boolean: true false false null");
  EXPECT_EQ(evaluated(call("equal", {col("half"), col("f32")})), "Boolean: true true true null");
  EXPECT_EQ(evaluated(call("not_equal", {col("s"), lit("ab")})), "Boolean: false true true null");
  EXPECT_EQ(evaluated(call("equal", {col("s"), col("ls")})), "Boolean: true true true null");
  EXPECT_EQ(evaluated(call("equal", {col("sv"), lit("ab")})), "Boolean: true false false null");
  EXPECT_EQ(evaluated(call("equal", {col("dict"), lit("ab")})), "Boolean: true false true null");
  EXPECT_EQ(evaluated(call("greater_equal", {col("bin"), col("bin")})),
            "Boolean: true true true null");
  EXPECT_EQ(evaluated(call("greater", {col("dec"), lit(1)})), "Boolean: true false true null");
  EXPECT_EQ(evaluated(call("equal", {col("dec"), col("dec32")})), "Boolean: true true true null");
  EXPECT_EQ(evaluated(call("equal", {col("dec"), lit(Literal(1.5))})),
            "Boolean: true false false null");
  EXPECT_EQ(evaluated(call("greater", {col("ts"), lit("2024-02-01")})),
            "Boolean: false true true null");
  EXPECT_EQ(evaluated(call("equal", {col("date"), lit("1970-01-02")})),
            "Boolean: false true false null");
  EXPECT_EQ(evaluated(call("equal", {col("b"), lit(Literal(true))})),
            "Boolean: true false true null");
  EXPECT_EQ(evaluated(call("equal", {col("i64"), lit(Literal())})), "Boolean: null null null null");
  EXPECT_EQ(evaluated(call("equal", {col("null"), col("s")})), "Boolean: null null null null");
  EXPECT_EQ(evaluated(call("less", {lit(1), lit(2)})), "Boolean: true true true true");
}

TEST(RelationalExpression, Calculates) {
  EXPECT_EQ(evaluated(call("add", {col("u8"), lit(100)})), "Int64: 101 300 103 null");
  EXPECT_EQ(evaluated(call("subtract", {col("u8"), col("u32")})), "Int64: -9 180 -4294967292 null");
  EXPECT_EQ(evaluated(call("multiply", {col("f32"), lit(2)})), "Float64: 1 -3 4 null");
  EXPECT_EQ(evaluated(call("divide", {col("u32"), lit(3)})), "Int64: 3 6 1431655765 null");
  EXPECT_EQ(evaluated(call("divide", {col("f64"), lit(0)})), "Float64: inf -inf inf null");
  EXPECT_EQ(evaluated(call("negate", {col("u32")})), "Int64: -10 -20 -4294967295 null");
  EXPECT_EQ(evaluated(call("add", {col("f32"), col("f32")})), "Float32: 1 -3 4 null");
  EXPECT_THAT(evaluated(call("subtract", {col("ts"), col("ts")})), HasSubstr("Duration: 0"));
  EXPECT_THAT(evaluated(call("add", {col("dec"), col("dec")})), HasSubstr("3.00 -4.50 6.00 null"));
}

TEST(RelationalExpression, WhatOnlyValuesShowIsARunError) {
  const Table table = example();
  for (const auto& expression :
       {call("add", {col("i64"), lit(1)}), call("divide", {lit(1), col("i64")}),
        call("multiply", {col("i64"), col("i64")}), call("int64", {col("s")}),
        call("add", {col("u64"), lit(-1)})}) {
    try {
      table_module().relational().evaluate(expression, table.schema(), to_morsel(table.arrays));
      ADD_FAILURE() << expression.name;
    } catch (const RunError& error) {
      EXPECT_THAT(error.what(), HasSubstr("col(\""));
    }
  }
}

TEST(RelationalExpression, KnowsThreeTruths) {
  EXPECT_EQ(evaluated(call("and", {col("b"), lit(Literal(false))})),
            "Boolean: false false false false");
  EXPECT_EQ(evaluated(call("or", {col("b"), lit(Literal())})), "Boolean: true null true null");
  EXPECT_EQ(evaluated(call("not", {col("b")})), "Boolean: false true false null");
  for (const char* name : {"s", "list", "dict", "sv", "null", "f64"}) {
    const std::string nulls =
        std::string(name) == "null" ? "true true true true" : "false false false true";
    EXPECT_EQ(evaluated(call("is_null", {col(name)})), "Boolean: " + nulls) << name;
  }
  EXPECT_EQ(evaluated(call("not_null", {col("list")})), "Boolean: true true true false");
}

TEST(RelationalExpression, FindsValuesInLists) {
  EXPECT_EQ(evaluated(call("is_in", {col("u8"), lit(1), lit(3), lit(1000)})),
            "Boolean: true false true null");
  EXPECT_EQ(evaluated(call("is_in", {col("i64"), lit(0), lit(Literal(-5.0))})),
            "Boolean: true true false null");
  EXPECT_EQ(evaluated(call("is_in", {col("sv"), lit("ab"), lit("x")})),
            "Boolean: true false false null");
  EXPECT_EQ(evaluated(call("is_in", {col("dict"), lit("ab")})), "Boolean: true false true null");
  EXPECT_EQ(evaluated(call("is_in", {col("dec"), lit(3), lit(Literal(1.5))})),
            "Boolean: true false true null");
  EXPECT_EQ(evaluated(call("is_in", {col("date"), lit("1970-01-01")})),
            "Boolean: true false false null");
  EXPECT_EQ(evaluated(call("is_in", {col("s")})), "Boolean: false false false null");
}

TEST(RelationalExpression, ReadsTexts) {
  EXPECT_EQ(evaluated(call("starts_with", {col("s"), lit("a")})), "Boolean: true false false null");
  EXPECT_EQ(evaluated(call("ends_with", {col("ls"), lit("c")})), "Boolean: false true false null");
  EXPECT_EQ(evaluated(call("contains", {col("sv"), lit("long")})),
            "Boolean: false true false null");
  EXPECT_EQ(evaluated(call("length", {col("s")})), "Int64: 2 2 0 null");
  EXPECT_EQ(evaluated(call("length", {col("ls")})), "Int64: 2 2 0 null");
  EXPECT_EQ(evaluated(call("lower", {col("s")})), "String: ab äc  null");
  EXPECT_EQ(evaluated(call("upper", {col("dict")})), "String: AB ÄC AB null");
}

TEST(RelationalExpression, Casts) {
  EXPECT_EQ(evaluated(call("float64", {col("u8")})), "Float64: 1 200 3 null");
  EXPECT_EQ(evaluated(call("int64", {col("f64")})), "Int64: 0 -1 100 null");
  EXPECT_EQ(evaluated(call("int64", {col("dec")})), "Int64: 1 -2 3 null");
  EXPECT_EQ(evaluated(call("string", {col("u8")})), "String: 1 200 3 null");
  EXPECT_EQ(evaluated(call("string", {col("sv")})), "String: ab a text longer than a view  null");
  EXPECT_EQ(evaluated(call("string", {col("dict")})), "String: ab Äc ab null");
}

TEST(RelationalExpression, ColumnsAndLiteralsAreValuesToo) {
  EXPECT_EQ(evaluated(col("u8")), "UInt8: 1 200 3 null");
  EXPECT_EQ(evaluated(lit("x")), "String: x x x x");
}

TEST(RelationalExpression, SaysWhatIsWrong) {
  EXPECT_EQ(refused(call("greater", {col("u32"), lit("a")})),
            "col(\"u32\") > \"a\": UInt32 and String cannot be compared; compare with a number");
  EXPECT_THAT(refused(call("equal", {col("list"), lit(1)})), HasSubstr("List[Int32] and Int64"));
  EXPECT_THAT(refused(call("less", {col("list"), col("list")})), HasSubstr("cannot be compared"));
  EXPECT_THAT(refused(col("hal")), HasSubstr("did you mean 'half'?"));
  EXPECT_THAT(refused(call("grater", {col("u8"), lit(1)})), HasSubstr("did you mean 'greater'?"));
  EXPECT_THAT(refused(call("add", {col("s"), lit(1)})), HasSubstr("give two numbers"));
  EXPECT_THAT(refused(call("add", {col("s"), lit("b")})), HasSubstr("give two numbers"));
  EXPECT_THAT(refused(call("negate", {col("b")})), HasSubstr("give a number"));
  EXPECT_THAT(refused(call("and", {col("b"), col("u8")})), HasSubstr("is UInt8, not Boolean"));
  EXPECT_THAT(refused(call("lower", {col("u8")})), HasSubstr("is UInt8, not String"));
  EXPECT_THAT(refused(call("contains", {col("s"), col("s")})), HasSubstr("is no text"));
  EXPECT_THAT(refused(call("is_in", {col("u8"), lit("a")})), HasSubstr("cannot be compared"));
  EXPECT_THAT(refused(call("is_in", {col("u8"), col("u8")})), HasSubstr("is no literal"));
  EXPECT_THAT(refused(call("equal", {col("ts"), lit("soon")})), HasSubstr("\"soon\""));
  EXPECT_THAT(refused(call("not", {})), HasSubstr("takes 1"));
  EXPECT_THAT(refused(call("string", {col("list")})),
              HasSubstr("List[Int32] cannot become String"));
  EXPECT_THAT(refused(lit(Literal(std::vector<double>{1, 2}))), HasSubstr("vector"));
}

TEST(RelationalExpression, ManyThreadsEvaluateAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int round = 0; round < 20; ++round)
        EXPECT_EQ(evaluated(call("and", {call("less", {col("u8"), lit(3)}),
                                         call("is_in", {col("s"), lit("ab")})})),
                  "Boolean: true false false null");
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace vecframe::io
