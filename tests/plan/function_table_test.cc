#include "plan/function_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "refusal.h"

namespace vecframe::plan {
namespace {

using columnar::DataType;
using columnar::TypeKind;
using testing::HasSubstr;

std::shared_ptr<const ExpressionNode> column(const std::string& name) {
  return std::make_shared<ExpressionNode>(ExpressionNode{ColumnReference{name}});
}

FunctionCall call(const std::string& name, std::size_t arguments,
                  std::map<std::string, columnar::Literal> options = {}) {
  FunctionCall made{name, {}, std::move(options)};
  for (std::size_t i = 0; i < arguments; ++i) made.arguments.push_back(column("c"));
  return with_defaults(std::move(made));
}

DataType image(std::uint8_t mode, std::uint32_t height = 0, std::uint32_t width = 0) {
  return {TypeKind::kImage, 0, {}, {mode, height, width}};
}

DataType boxes() {
  ArrowSchema item{};
  item.format = "l";
  std::array<ArrowSchema*, 1> items{&item};
  ArrowSchema list{};
  list.format = "+l";
  list.n_children = 1;
  list.children = items.data();
  return columnar::import_type(list);
}

TEST(FunctionTable, CropTakesABoxOrAColumnOfThem) {
  const auto fixed = call("crop", 1,
                          {{"x", std::int64_t{1}},
                           {"y", std::int64_t{2}},
                           {"w", std::int64_t{3}},
                           {"h", std::int64_t{4}}});
  EXPECT_EQ(function_type(fixed, {image(3, 9, 9)}).to_string(), "Image[RGB]");
  const auto by_column = call("crop", 2);
  EXPECT_TRUE(by_column.options.empty());
  EXPECT_EQ(function_type(by_column, {image(0), boxes()}).to_string(), "Image[MIXED]");
  EXPECT_THAT(refusal([&] {
                function_type(by_column, {image(0), {TypeKind::kInt64}});
              }),
              HasSubstr("argument col(\"c\") has type Int64, but a list of 4 integers is needed"));
  EXPECT_THAT(refusal([] { call("crop", 1); }), HasSubstr("crop: option 'x' is missing"));
  EXPECT_THAT(refusal([] {
                call("crop", 2, {{"x", std::int64_t{1}}});
              }),
              HasSubstr("crop: unknown option 'x'"));
  EXPECT_THAT(refusal([&] { function_type(call("crop", 3, fixed.options), {}); }),
              HasSubstr("crop: 0 arguments are given"));
}

TEST(FunctionTable, TypesOfPictures) {
  const std::map<std::string, columnar::Literal> sides{{"w", std::int64_t{8}},
                                                       {"h", std::int64_t{6}}};
  EXPECT_EQ(function_type(call("resize", 1, sides), {image(3)}).to_string(), "Image[RGB; 6 x 8]");
  EXPECT_EQ(function_type(call("resize", 1, sides), {image(0)}).to_string(), "Image[MIXED]");
  EXPECT_EQ(function_type(call("image_to_tensor", 1), {image(3, 6, 8)}).to_string(),
            "Tensor[UInt8; [6, 8, 3]]");
  EXPECT_EQ(function_type(call("image_hash", 1), {image(3)}).to_string(), "Binary[8]");
  EXPECT_EQ(function_type(call("convert_image", 1, {{"mode", std::string("L")}}), {image(3, 6, 8)})
                .to_string(),
            "Image[L; 6 x 8]");
}

TEST(FunctionTable, AnOptionOfAnotherTypeIsNamedWithItsValue) {
  EXPECT_THAT(refusal([] {
                call("resize", 1, {{"w", 3.5}, {"h", std::int64_t{3}}});
              }),
              HasSubstr("resize: option 'w' is 3.5; give an integer"));
  EXPECT_THAT(refusal([] {
                call("decode_image", 1, {{"apply_orientation", std::int64_t{1}}});
              }),
              HasSubstr("option 'apply_orientation' is 1; give True or False"));
}

}  // namespace
}  // namespace vecframe::plan
