#include "plan/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plan/explain.h"
#include "plan/expression_walk.h"
#include "plan_examples.h"

namespace vecframe::plan {
namespace {

using testing::HasSubstr;
using testing::Not;

// The operations of a plan, the first one first, without their arguments.
std::string shape(const LogicalPlan& plan) {
  std::string text = plan.input ? shape(*plan.input) + " " : "";
  if (const auto* both = std::get_if<Concat>(&plan.node))
    return text + "Concat(" + shape(*both->other) + ")";
  std::string line = explain(plan);
  line = line.substr(line.find('\n') + 1);
  return text + line.substr(0, line.find(':'));
}

std::string line_of(const LogicalPlan& plan, const std::string& operation) {
  const std::string text = explain(plan);
  const std::size_t at = text.find(operation + ":");
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

PlanPointer embedded(std::optional<std::string> errors = {}) {
  return with_column(with_pictures(), {"e", embed(column("image"), std::move(errors))},
                     kRelational);
}

PlanPointer kept(PlanPointer plan, NodePointer condition) {
  return where(std::move(plan), {std::move(condition)}, kRelational);
}

NodePointer cheap() { return call("greater", {column("price"), column("sku")}); }
NodePointer division() {
  return call("greater", {call("divide", {column("price"), column("sku")}), column("sku")});
}
NodePointer needs_vector() { return call("not_null", {column("e")}); }

TEST(PushWhere, GoesInFrontOfTheModelUnlessItNeedsIt) {
  EXPECT_EQ(shape(*push_where(kept(embedded(), cheap()), kRelational)),
            "FromMemory Where WithColumn WithColumn");
  const PlanPointer needs = kept(embedded(), needs_vector());
  EXPECT_EQ(push_where(needs, kRelational), needs);
  const PlanPointer cause = kept(embedded("why"), call("is_null", {column("why")}));
  EXPECT_EQ(push_where(cause, kRelational), cause);
}

TEST(PushWhere, PartsOfAConjunctionMoveApart) {
  const PlanPointer plan = kept(embedded(), call("and", {needs_vector(), cheap()}));
  const PlanPointer better = push_where(plan, kRelational);
  EXPECT_EQ(shape(*better), "FromMemory Where WithColumn WithColumn Where");
  EXPECT_EQ(to_string(*std::get<Where>(better->node).predicate), "not_null(col(\"e\"))");
  // What stays, stays together.
  const PlanPointer both =
      kept(embedded(), call("and", {needs_vector(), call("is_null", {column("e")})}));
  EXPECT_EQ(push_where(both, kRelational), both);
}

TEST(PushWhere, WhatMayFailSeesNoRowThatAnotherConditionLeftOut) {
  const PlanPointer safe = kept(kept(embedded(), needs_vector()), cheap());
  EXPECT_EQ(shape(*push_where(safe, kRelational)), "FromMemory Where WithColumn WithColumn Where");
  const PlanPointer guarded = kept(kept(embedded(), needs_vector()), division());
  EXPECT_EQ(shape(*push_where(guarded, kRelational)),
            "FromMemory WithColumn WithColumn Where Where");
  // Columns that are added do not change which rows there are.
  EXPECT_EQ(shape(*push_where(kept(embedded(), division()), kRelational)),
            "FromMemory Where WithColumn WithColumn");
}

TEST(PushWhere, FollowsNewNamesAndBothSidesOfConcat) {
  Select renamed;
  renamed.columns = {{"cost", column("price")}, {"n", column("sku")}, {"e", column("e")}};
  const PlanPointer plan =
      kept(select(embedded(), renamed, kRelational), call("less", {column("cost"), column("n")}));
  const PlanPointer better = push_where(plan, kRelational);
  EXPECT_EQ(shape(*better), "FromMemory Where WithColumn WithColumn Select");
  EXPECT_THAT(line_of(*better, "Where"), HasSubstr("(col(\"price\") < col(\"sku\"))"));
  // A computed column is not computed twice.
  Select computed;
  computed.columns = {{"x", call("is_null", {column("price")})}};
  const PlanPointer of_computed = kept(select(products(), computed, kRelational), column("x"));
  EXPECT_EQ(push_where(of_computed, kRelational), of_computed);

  EXPECT_EQ(
      shape(*push_where(kept(concat(embedded(), {embedded()}), cheap()), kRelational)),
      "FromMemory Where WithColumn WithColumn Concat(FromMemory Where WithColumn WithColumn)");
}

TEST(PushWhere, StaysBehindWhatChoosesRows) {
  for (const PlanPointer& input : {limit(products(), {3}), sample(products(), {0.5, {}, 1})}) {
    const PlanPointer plan = kept(input, cheap());
    EXPECT_EQ(push_where(plan, kRelational), plan);
  }
  EXPECT_EQ(shape(*push_where(kept(sort(products(), {{{"sku"}}}), cheap()), kRelational)),
            "FromMemory Where Sort");
}

TEST(PushWhere, DropNullsIsAConditionLikeOthers) {
  const PlanPointer plan = drop_nulls(embedded(), {{"url", "e"}});
  const PlanPointer better = push_where(plan, kRelational);
  EXPECT_EQ(shape(*better), "FromMemory Where WithColumn WithColumn Where");
  EXPECT_THAT(explain(*better), HasSubstr("Where: not_null(col(\"url\"))"));
}

TEST(PushLimit, GoesInFrontOfWhateverGivesARowForARow) {
  Select chosen;
  chosen.columns = {{"e", column("e")}};
  EXPECT_EQ(shape(*push_limit(limit(select(embedded(), chosen, kRelational), {3}), kRelational)),
            "FromMemory Limit WithColumn WithColumn Select");
  for (const PlanPointer& input : {kept(products(), cheap()), sort(products(), {{{"sku"}}})}) {
    const PlanPointer plan = limit(input, {3});
    EXPECT_EQ(explain(*push_limit(plan, kRelational)), explain(*plan));
  }
}

TEST(PushLimit, TheSmallestWins) {
  const PlanPointer plan = push_limit(limit(limit(embedded(), {3}), {10}), kRelational);
  EXPECT_EQ(shape(*plan), "FromMemory Limit WithColumn WithColumn");
  EXPECT_EQ(line_of(*plan, "Limit"), "Limit: 3");
}

TEST(PushLimit, NeitherSideOfConcatGivesMore) {
  EXPECT_EQ(shape(*push_limit(limit(concat(embedded(), {embedded()}), {3}), kRelational)),
            "FromMemory Limit WithColumn WithColumn Concat(FromMemory Limit WithColumn WithColumn) "
            "Limit");
}

TEST(PruneColumns, NeitherComputesNorReadsWhatNobodyUses) {
  const PlanPointer plan = prune_columns(chosen(embedded(), {"sku"}), kRelational);
  EXPECT_EQ(shape(*plan), "FromMemory Select");
  EXPECT_THAT(line_of(*plan, "FromMemory"), HasSubstr("1 of 3 columns: sku"));
  const PlanPointer used = prune_columns(chosen(embedded(), {"e"}), kRelational);
  EXPECT_EQ(shape(*used), "FromMemory WithColumn WithColumn Select");
  EXPECT_THAT(line_of(*used, "FromMemory"), HasSubstr("1 of 3 columns: url"));
}

TEST(PruneColumns, ReachesTheColumnsOfAFile) {
  ReadParquet node{{"a.parquet"}, products()->schema};
  const PlanPointer plan =
      prune_columns(chosen(kept(read_parquet(node), cheap()), {"price"}), kRelational);
  EXPECT_THAT(line_of(*plan, "ReadParquet"), HasSubstr("2 of 3 columns: sku, price"));
}

TEST(PruneColumns, KeepsWhatConditionsAndOrderNeed) {
  const PlanPointer sorted = chosen(sort(embedded(), {{{"price"}}}), {"sku"});
  EXPECT_THAT(line_of(*prune_columns(sorted, kRelational), "FromMemory"),
              HasSubstr("2 of 3 columns: sku, price"));
  EXPECT_EQ(shape(*prune_columns(chosen(embedded("why"), {"why"}), kRelational)),
            "FromMemory WithColumn WithColumn Select");
}

TEST(PruneColumns, TheResultKeepsTheOrderOfItsColumns) {
  // `sku` is replaced where it stands, and its old values are not read.
  const PlanPointer plan =
      with_column(chosen(products(), {"sku", "price"}), {"sku", column("price")}, kRelational);
  const PlanPointer better = prune_columns(plan, kRelational);
  EXPECT_EQ(names_of(better->schema), names_of(plan->schema));
  EXPECT_THAT(line_of(*better, "FromMemory"), HasSubstr("1 of 3 columns: price"));
}

TEST(PruneColumns, BothSidesOfConcatKeepTheSame) {
  PlanPointer first = with_column(products(), {"sku", column("price")}, kRelational);
  const PlanPointer plan = prune_columns(chosen(concat(first, {first}), {"price"}), kRelational);
  EXPECT_EQ(shape(*plan), "FromMemory Concat(FromMemory) Select");
}

TEST(PruneColumns, CountingNeedsNone) {
  const auto none = std::make_shared<LogicalPlan>(LogicalPlan{Select{}, embedded(), {}});
  const PlanPointer plan = prune_columns(none, kRelational);
  EXPECT_EQ(shape(*plan), "FromMemory Select");
  EXPECT_THAT(line_of(*plan, "FromMemory"), HasSubstr("0 of 3 columns"));
  const auto some = std::make_shared<LogicalPlan>(
      LogicalPlan{Select{}, limit(kept(embedded(), cheap()), {5}), {}});
  EXPECT_EQ(shape(*optimize(some, kRelational)), "FromMemory Where Limit Select");
}

TEST(ShareEmbeddings, TheSameCallIsMadeOnce) {
  const PlanPointer plan = with_column(embedded(), {"again", embed(column("image"))}, kRelational);
  const PlanPointer better = share_embeddings(plan, kRelational);
  EXPECT_THAT(line_of(*better, "WithColumn"), "WithColumn: again = col(\"e\")");
  EXPECT_EQ(names_of(better->schema), names_of(plan->schema));
}

TEST(ShareEmbeddings, WithItsErrors) {
  const PlanPointer plan =
      with_column(embedded("why"), {"again", embed(column("image"), "cause")}, kRelational);
  const PlanPointer better = share_embeddings(plan, kRelational);
  EXPECT_EQ(names_of(better->schema), names_of(plan->schema));
  EXPECT_THAT(explain(*better), HasSubstr("cause = col(\"why\")"));
  // The first does not keep them.
  const PlanPointer apart =
      with_column(embedded(), {"again", embed(column("image"), "cause")}, kRelational);
  EXPECT_EQ(share_embeddings(apart, kRelational), apart);
}

TEST(ShareEmbeddings, NotOfAnotherPictureOrAColumnThatChanged) {
  PlanPointer plan = with_column(
      embedded(), {"image", call("convert_image", {column("image")}, {{"mode", std::string("L")}})},
      kRelational);
  plan = with_column(plan, {"again", embed(column("image"))}, kRelational);
  EXPECT_EQ(share_embeddings(plan, kRelational), plan);
  PlanPointer replaced = with_column(embedded(), {"e", column("sku")}, kRelational);
  replaced = with_column(replaced, {"again", embed(column("image"))}, kRelational);
  EXPECT_EQ(share_embeddings(replaced, kRelational), replaced);
}

TEST(ShareEmbeddings, FollowsNewNames) {
  Select renamed;
  renamed.columns = {{"picture", column("image")}, {"vector", column("e")}};
  const PlanPointer plan = with_column(select(embedded(), renamed, kRelational),
                                       {"again", embed(column("picture"))}, kRelational);
  EXPECT_THAT(line_of(*share_embeddings(plan, kRelational), "WithColumn"),
              "WithColumn: again = col(\"vector\")");
}

NodePointer literal(columnar::Literal value) {
  return std::make_shared<ExpressionNode>(ExpressionNode{LiteralValue{std::move(value)}});
}

TEST(FoldConstants, ExpressionsOfLiteralsBecomeOne) {
  const NodePointer constant = call("less", {literal(std::int64_t{1}), literal(std::int64_t{2})});
  const PlanPointer plan = with_column(products(), {"x", constant}, kRelational);
  EXPECT_EQ(line_of(*fold_constants(plan, kRelational), "WithColumn"), "WithColumn: x = True");
  const PlanPointer open = with_column(products(), {"x", cheap()}, kRelational);
  EXPECT_EQ(fold_constants(open, kRelational), open);
}

TEST(FoldConstants, TruthVanishesFromConditions) {
  EXPECT_EQ(shape(*fold_constants(kept(products(), literal(true)), kRelational)), "FromMemory");
  EXPECT_EQ(line_of(*fold_constants(kept(products(), literal(false)), kRelational), "Limit"),
            "Limit: 0");
  EXPECT_EQ(
      line_of(*fold_constants(kept(products(), call("and", {literal(true), cheap()})), kRelational),
              "Where"),
      "Where: " + to_string(*cheap()));
  EXPECT_EQ(
      shape(*fold_constants(kept(products(), call("or", {cheap(), literal(true)})), kRelational)),
      "FromMemory");
}

TEST(Optimize, EverythingTogether) {
  PlanPointer plan = with_column(embedded(), {"again", embed(column("image"))}, kRelational);
  plan = limit(kept(chosen(plan, {"again", "price", "sku"}), cheap()), {5});
  const PlanPointer better = optimize(chosen(plan, {"again"}), kRelational);
  EXPECT_EQ(shape(*better),
            "FromMemory Where Limit WithColumn WithColumn WithColumn Select Select");
  EXPECT_THAT(explain(*better), Not(HasSubstr("WithColumn: again = embed_image")));
}

}  // namespace
}  // namespace vecframe::plan
