// Pictures decoded reduced: plans know them, and refuse them where no size follows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plan/explain.h"
#include "plan/json_plan.h"
#include "plan/rewrite.h"
#include "plan/steps.h"
#include "plan_examples.h"
#include "refusal.h"

namespace vecframe::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

NodePointer decoded(bool fast = true) {
  return call("decode_image", {call("download", {column("url")})}, {{"fast_decode", fast}});
}

NodePointer resized(NodePointer picture) {
  return call("resize", {std::move(picture)}, {{"w", std::int64_t{8}}, {"h", std::int64_t{6}}});
}

PlanPointer with_fast_pictures() { return with_column(products(), {"image", decoded()}); }

PlanPointer fast_images() {
  ReadImagesOptions options;
  options.fast_decode = true;
  return read_images({{"photos"}, options});
}

StepPlan lowered(const PlanPointer& plan) {
  return lower_to_steps(*optimize(plan, kRelational), kRelational);
}

TEST(FastDecode, TheTypeTellsUntilTheSizeIsKnown) {
  EXPECT_EQ(with_fast_pictures()->schema.fields.back().type.to_string(), "Image[RGB; fast_decode]");
  EXPECT_EQ(fast_images()->schema.fields[1].type.to_string(), "Image[RGB; fast_decode]");
  const auto type = [](const NodePointer& node) {
    return type_of(*node, with_fast_pictures()->schema, kRelational).to_string();
  };
  EXPECT_EQ(type(call("convert_image", {column("image")}, {{"mode", std::string("L")}})),
            "Image[L; fast_decode]");
  EXPECT_EQ(type(resized(column("image"))), "Image[RGB; 6 x 8]");
  EXPECT_EQ(type(call("image_width", {resized(column("image"))})), "UInt32");
  EXPECT_EQ(type(embed(column("image"))), "Embedding[Float32; 8]");
}

TEST(FastDecode, WhatLooksAtThePictureItselfIsRefused) {
  const std::vector<NodePointer> calls{
      call("crop", {column("image")},
           {{"x", std::int64_t{0}},
            {"y", std::int64_t{0}},
            {"w", std::int64_t{1}},
            {"h", std::int64_t{1}}}),
      call("encode_image", {column("image")}),
      call("image_hash", {column("image")}),
      call("image_to_tensor", {column("image")}),
      call("image_width", {column("image")}),
      call("image_mode", {call("convert_image", {column("image")})}),
  };
  for (const NodePointer& node : calls) {
    const std::string name = std::get<FunctionCall>(node->value).name;
    const std::string wanted = "fast_decode: True, but " + name + " takes ";
    EXPECT_THAT(refusal([&] {
                  with_column(with_fast_pictures(), {"x", node});
                }),
                AllOf(HasSubstr(wanted), HasSubstr("resize()"), HasSubstr("fast_decode=False")));
    EXPECT_EQ(refusal([&] { with_column(with_pictures(), {"x", node}); }), "no error");
  }
}

struct Handle final : EmbedderHandle {};

TEST(FastDecode, AProviderThatTakesAnySizeIsRefused) {
  EmbedCall call;
  call.argument = column("image");
  call.provider = "openai";
  call.dimension = 8;
  call.handle = std::make_shared<Handle>();
  const auto embedding = [&] { return std::make_shared<ExpressionNode>(ExpressionNode{call}); };
  EXPECT_THAT(refusal([&] {
                with_column(with_fast_pictures(), {"e", embedding()});
              }),
              AllOf(HasSubstr("fast_decode: True, but provider 'openai'"), HasSubstr("resize()")));
  call.argument = resized(column("image"));
  EXPECT_EQ(refusal([&] { with_column(with_fast_pictures(), {"e", embedding()}); }), "no error");
}

TEST(FastDecode, APictureThatIsKeptIsRefused) {
  const PlanPointer embedded = with_column(with_fast_pictures(), {"e", embed(column("image"))});
  EXPECT_THAT(refusal([&] { lowered(embedded); }),
              AllOf(HasSubstr("fast_decode: True, but column 'image' is kept"),
                    HasSubstr("exclude"), HasSubstr("resize()"), HasSubstr("fast_decode=False")));
  const StepPlan steps = lowered(chosen(embedded, {"sku", "e"}));
  EXPECT_THAT(names_of(steps.schema()), ElementsAre("sku", "e"));
  EXPECT_TRUE(decodes_fast(steps));
  EXPECT_FALSE(decodes_fast(lowered(with_pictures())));
  // What is kept of it has a size.
  EXPECT_EQ(
      refusal([&] {
        lowered(chosen(with_column(embedded, {"small", resized(column("image"))}), {"small", "e"}));
      }),
      "no error");
  // A condition computes a column too.
  const PlanPointer kept = where(embedded, {call("not_null", {column("image")})}, kRelational);
  EXPECT_THAT(refusal([&] { lowered(chosen(kept, {"e"})); }), HasSubstr("is kept"));
  EXPECT_THAT(refusal([&] { lowered(chosen(drop_nulls(embedded, {{"image"}}), {"e"})); }),
              HasSubstr("is kept"));
}

TEST(FastDecode, BothSidesOfAConcatHaveIt) {
  EXPECT_THAT(refusal([] { concat(with_fast_pictures(), {with_pictures()}); }),
              HasSubstr("'image' is Image[RGB; fast_decode] and Image[RGB]"));
  const PlanPointer both =
      chosen(with_column(with_fast_pictures(), {"e", embed(column("image"))}), {"e"});
  const PlanPointer one =
      chosen(with_column(with_pictures(), {"e", embed(column("image"))}), {"e"});
  EXPECT_TRUE(decodes_fast(lowered(concat(one, {both}))));
}

TEST(FastDecode, TextsNameItOnlyWhereItIsAskedFor) {
  EXPECT_THAT(explain(*with_fast_pictures()), HasSubstr("fast_decode=True"));
  EXPECT_THAT(explain(*with_pictures()), Not(HasSubstr("fast_decode")));
  EXPECT_THAT(explain(*fast_images()), HasSubstr("ReadImages: photos, fast_decode"));
  ReadImagesOptions options;
  options.fast_decode = true;
  options.apply_orientation = false;
  EXPECT_THAT(explain(*read_images({{"a", "b", "c", "d"}, options})),
              HasSubstr("ReadImages: a, b, c, ... (4 inputs), orientation ignored, fast_decode"));
  EXPECT_THAT(explain(*read_images({{"photos"}, {}})), Not(HasSubstr("fast_decode")));
  EXPECT_NE(identity(*decoded(true)), identity(*decoded(false)));
}

TEST(FastDecode, JsonKeepsIt) {
  for (const PlanPointer& plan : {fast_images(), with_fast_pictures(), with_pictures()}) {
    const std::string text =
        plan_to_json(*plan, [](const FromMemory&) { return std::string("rows"); });
    const PlanPointer back = plan_from_json(
        text, kRelational, [](std::string_view) { return std::get<FromMemory>(products()->node); });
    EXPECT_EQ(back->schema.fields, plan->schema.fields);
    EXPECT_EQ(explain(*back), explain(*plan));
  }
}

}  // namespace
}  // namespace vecframe::plan
