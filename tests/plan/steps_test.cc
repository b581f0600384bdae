#include "plan/steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plan/function_table.h"
#include "plan/rewrite.h"
#include "plan_examples.h"
#include "refusal.h"

namespace vecframe::plan {
namespace {

using columnar::TypeKind;
using testing::ElementsAre;
using testing::HasSubstr;
using Node = NodePointer;

// One letter a step: what it is.
std::string shape(const StepPlan& plan) {
  struct Visitor {
    char operator()(const SourceStep&) const { return 'O'; }
    char operator()(const MapStep&) const { return 'M'; }
    char operator()(const ScalarStep&) const { return 'S'; }
    char operator()(const VectorStep&) const { return 'V'; }
    char operator()(const FilterStep&) const { return 'F'; }
    char operator()(const LimitStep&) const { return 'L'; }
    char operator()(const SortStep&) const { return 'T'; }
    char operator()(const SampleStep&) const { return 'A'; }
    char operator()(const ConcatStep&) const { return 'C'; }
    char operator()(const ProjectStep&) const { return 'P'; }
  };
  std::string text;
  for (const Step& step : plan.steps) text += std::visit(Visitor(), step.value);
  return text;
}

StepPlan lowered(const PlanPointer& plan) {
  return lower_to_steps(*optimize(plan, kRelational), kRelational);
}

TEST(Steps, APictureThatIsOnlyEmbeddedIsNeverAColumn) {
  const PlanPointer plan =
      chosen(with_column(with_pictures(), {"e", embed(column("image"))}), {"sku", "e"});
  const StepPlan steps = lowered(plan);
  EXPECT_EQ(shape(steps), "OMP");
  EXPECT_THAT(names_of(steps.steps[0].schema), ElementsAre("sku", "url"));  // price is not read
  const auto& map = std::get<MapStep>(steps.steps[1].value);
  ASSERT_EQ(map.columns.size(), 1u);
  EXPECT_THAT(to_string(*map.columns[0].node),
              HasSubstr("embed_image(decode_image(download(col(\"url\")"));
}

TEST(Steps, APictureThatIsShownIsOneToo) {
  const StepPlan steps = lowered(with_column(with_pictures(), {"e", embed(column("image"))}));
  EXPECT_EQ(shape(steps), "OMP");
  EXPECT_EQ(std::get<MapStep>(steps.steps[1].value).columns.size(), 2u);
  EXPECT_THAT(names_of(steps.schema()), ElementsAre("sku", "url", "price", "image", "e"));
}

TEST(Steps, ALimitGoesInFrontOfTheModel) {
  const PlanPointer plan = with_column(with_pictures(), {"e", embed(column("image"))});
  EXPECT_EQ(shape(lowered(chosen(limit(plan, {3}), {"e"}))), "OLMP");
}

TEST(Steps, SortingForTheFirstRowsIsToldSo) {
  const PlanPointer sorted = sort(products(), {{{"price", true, false}}});
  const StepPlan steps = lowered(limit(limit(sorted, {9}), {3}));
  EXPECT_EQ(shape(steps), "OTLP");
  EXPECT_EQ(std::get<SortStep>(steps.steps[1].value).first, 3);
  EXPECT_FALSE(std::get<SortStep>(lowered(sorted).steps[1].value).first);
}

TEST(Steps, AFilterGoesInFrontOfTheModelUnlessItNeedsIt) {
  const PlanPointer plan = with_column(with_pictures(), {"e", embed(column("image"))});
  const PlanPointer cheap =
      where(plan, {call("greater", {column("price"), column("sku")})}, kRelational);
  EXPECT_EQ(shape(lowered(chosen(cheap, {"e"}))), "OSFMP");
  const PlanPointer dear = where(plan, {call("not_null", {column("e")})}, kRelational);
  EXPECT_EQ(shape(lowered(chosen(dear, {"e"}))), "OMSFP");
}

TEST(Steps, WhatNobodyTakesIsNotComputed) {
  const PlanPointer plan = with_column(with_pictures(), {"e", embed(column("image"))});
  EXPECT_EQ(shape(lowered(chosen(plan, {"sku"}))), "OP");
  // Each of several nulls tests has its own mask.
  const StepPlan steps = lower_to_steps(*drop_nulls(products(), {{"url", "price"}}), kRelational);
  EXPECT_EQ(shape(steps), "OSFSFP");
  EXPECT_NE(std::get<FilterStep>(steps.steps[2].value).mask,
            std::get<FilterStep>(steps.steps[4].value).mask);
}

TEST(Steps, AnErrorColumnComesWithItsEmbedding) {
  const PlanPointer plan = with_column(with_pictures(), {"e", embed(column("image"), "why")});
  const StepPlan steps = lowered(chosen(plan, {"why"}));
  EXPECT_EQ(shape(steps), "OMP");
  EXPECT_THAT(names_of(steps.schema()), ElementsAre("why"));
  EXPECT_EQ(std::get<ProjectStep>(steps.steps[2].value).columns[0].first, error_column_of("e"));
}

TEST(Steps, TheSameExpressionIsComputedOnce) {
  const Node width = call("image_width", {column("image")});
  PlanPointer plan = with_column(with_pictures(), {"a", width}, kRelational);
  plan = with_column(plan, {"b", width}, kRelational);
  const StepPlan steps = lowered(chosen(plan, {"a", "b"}));
  ASSERT_EQ(shape(steps), "OMP");
  EXPECT_EQ(std::get<MapStep>(steps.steps[1].value).columns.size(), 1u);
}

TEST(Steps, AReplacedColumnIsStillThereForWhatCameBefore) {
  PlanPointer plan = with_column(products(), {"x", call("not_null", {column("sku")})}, kRelational);
  plan = with_column(plan, {"sku", column("price")}, kRelational);
  const StepPlan steps = lowered(chosen(plan, {"sku", "x"}));
  EXPECT_EQ(std::get<ProjectStep>(steps.steps.back().value).columns[0].first, "price");
}

TEST(FunctionTable, NamesTheNearestFunctionAndOption) {
  EXPECT_THAT(refusal([] { call("decode_imge", {column("x")}); }),
              HasSubstr("did you mean 'decode_image'?"));
  EXPECT_THAT(refusal([] {
                call("resize", {column("x")}, {{"w", std::int64_t{1}}});
              }),
              HasSubstr("resize: option 'h' is missing"));
  EXPECT_THAT(refusal([] {
                call("decode_image", {column("x")}, {{"onerror", true}});
              }),
              HasSubstr("did you mean 'on_error'?"));
  EXPECT_THAT(refusal([] {
                call("download", {column("x")}, {{"on_error", true}});
              }),
              HasSubstr("option 'on_error' is True; give a text"));
  // What only lowering may say.
  EXPECT_THAT(refusal([] {
                with_column(products(), {"b", call("download", {column("url")},
                                                   {{"on_error", std::string("defer")}})});
              }),
              HasSubstr("Invalid on_error value"));
}

}  // namespace
}  // namespace vecframe::plan
