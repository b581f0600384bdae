#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "plan/explain.h"
#include "plan/logical_plan.h"
#include "plan/physical_plan.h"
#include "refusal.h"

namespace vecframe::plan {
namespace {

using testing::HasSubstr;

std::shared_ptr<const ExpressionNode> column(const std::string& name) {
  return std::make_shared<ExpressionNode>(ExpressionNode{ColumnReference{name}});
}

std::shared_ptr<const ExpressionNode> embed(const std::string& image,
                                            std::optional<std::string> error_column = {}) {
  EmbedCall call;
  call.argument = column(image);
  call.provider = "transformers";
  call.model = "m";
  call.precision = "fp32";
  call.device = "cpu";
  call.dimension = 512;
  call.error_column = std::move(error_column);
  return std::make_shared<ExpressionNode>(ExpressionNode{call});
}

Select names_of(const std::vector<std::string>& names) {
  Select node;
  for (const std::string& name : names) node.columns.push_back({name, column(name)});
  return node;
}

PlanPointer images() { return read_images({{"photos/"}, {}}); }

std::string names(const columnar::Schema& schema) {
  std::string text;
  for (const columnar::Field& field : schema.fields)
    text += field.name + " " + field.type.to_string() + "; ";
  return text;
}

TEST(LogicalPlan, KnowsItsSchemaBeforeItRuns) {
  const PlanPointer plan = with_column(images(), {"embedding", embed("image", "error")});
  EXPECT_EQ(names(plan->schema),
            "path String; image Image[RGB]; width UInt32; height UInt32; format String; "
            "embedding Embedding[Float32; 512]; error String; ");
}

TEST(LogicalPlan, AWrongColumnNamesTheNearestOne) {
  EXPECT_THAT(refusal([] {
                with_column(images(), {"e", embed("imgae")});
              }),
              testing::AllOf(HasSubstr("'imgae'"), HasSubstr("did you mean 'image'?")));
  EXPECT_THAT(refusal([] { select(images(), names_of({"zzzzzzzzzz"})); }),
              HasSubstr("there are: path, image, width"));
}

TEST(LogicalPlan, AWrongTypeNamesColumnAndType) {
  EXPECT_THAT(refusal([] {
                with_column(images(), {"e", embed("path")});
              }),
              testing::AllOf(HasSubstr("col(\"path\")"), HasSubstr("String"), HasSubstr("Image")));
}

TEST(LogicalPlan, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(refusal([] { read_images({{}, {}}); }), HasSubstr("no inputs"));
  EXPECT_THAT(refusal([] { limit(images(), {-1}); }), HasSubstr("-1"));
  EXPECT_THAT(refusal([] { with_column(images(), {"", embed("image")}); }), HasSubstr("empty"));
  EXPECT_THAT(refusal([] {
                with_column(images(), {"e", embed("image", "e")});
              }),
              HasSubstr("error_column"));
  EXPECT_THAT(refusal([] { select(images(), names_of({"path", "path"})); }), HasSubstr("twice"));
  EXPECT_THAT(refusal([] { select(images(), {{}}); }), HasSubstr("no columns"));
}

TEST(LogicalPlan, AColumnOfTheSameNameIsReplacedInPlace) {
  const PlanPointer plan = with_column(images(), {"width", embed("image")});
  EXPECT_THAT(names(plan->schema),
              HasSubstr("image Image[RGB]; width Embedding[Float32; 512]; height"));
  EXPECT_EQ(plan->schema.fields.size(), 5u);
}

TEST(LogicalPlan, ExplainShowsEveryNode) {
  const PlanPointer plan = limit(with_column(images(), {"e", embed("image")}), {7});
  EXPECT_THAT(
      explain(*plan),
      testing::AllOf(HasSubstr("Limit: 7"), HasSubstr("WithColumn: e = embed_image(col(\"image\")"),
                     HasSubstr("ReadImages: photos/")));
}

TEST(LogicalPlan, ExplainShowsHowAnEmbedderIsCalled) {
  class Remote final : public EmbedderHandle {
    bool is_async() const override { return true; }
  };
  const std::string local = explain(*with_column(images(), {"e", embed("image")}));
  EXPECT_THAT(local,
              testing::AllOf(HasSubstr("precision = fp32"), HasSubstr("concurrency = threads"),
                             HasSubstr("async = false")));
  EmbedCall call;
  call.argument = column("image");
  call.provider = "openai";
  call.model = "m";
  call.dimension = 8;
  call.concurrency = 7;
  call.handle = std::make_shared<Remote>();
  const auto made = [&] {
    const auto node = std::make_shared<ExpressionNode>(ExpressionNode{call});
    return explain(*with_column(images(), {"e", node}));
  };
  EXPECT_THAT(made(), testing::AllOf(HasSubstr("concurrency = 7"), HasSubstr("async = true"),
                                     testing::Not(HasSubstr("precision"))));
  // What came as a text knows it when it runs.
  call.handle = nullptr;
  EXPECT_THAT(made(), testing::Not(HasSubstr("async")));
}

std::string sources(const PhysicalPlan& plan) {
  std::string text;
  for (const BoundColumn& column : plan.columns) {
    text += column.name + std::to_string(static_cast<int>(column.source)) + " ";
  }
  return text;
}

TEST(PhysicalPlan, LeavesPicturesOutAndKeepsTheOrderOfTheSchema) {
  const PhysicalPlan plan = lower(*with_column(images(), {"e", embed("image", "error")}));
  EXPECT_EQ(sources(plan), "path0 width3 height4 format5 e6 error7 ");
  ASSERT_TRUE(plan.embed);
  EXPECT_EQ(plan.embed->dimension, 512);
}

TEST(PhysicalPlan, FollowsSelectAndCopies) {
  const PlanPointer copied =
      with_column(with_column(images(), {"file", column("path")}), {"e", embed("image")});
  EXPECT_EQ(sources(lower(*select(copied, names_of({"e", "file"})))), "e6 file0 ");
}

TEST(PhysicalPlan, TheSmallestLimitWins) {
  EXPECT_EQ(lower(*limit(limit(images(), {3}), {10})).limit, 3);
  EXPECT_EQ(lower(*limit(limit(images(), {10}), {0})).limit, 0);
  EXPECT_FALSE(lower(*images()).limit);
}

TEST(PhysicalPlan, AVectorThatNobodyTakesIsNotComputed) {
  const PlanPointer embedded = with_column(images(), {"e", embed("image")});
  EXPECT_TRUE(lower(*embedded).embed);
  EXPECT_FALSE(lower(*select(embedded, names_of({"path"}))).embed);
}

TEST(PhysicalPlan, TwoModelsInOnePlanAreRefused) {
  const PlanPointer two =
      with_column(with_column(images(), {"a", embed("image")}), {"b", embed("image")});
  EXPECT_THAT(refusal([&] { lower(*two); }), HasSubstr("'b'"));
}

std::shared_ptr<const ExpressionNode> embed_text_of(const std::string& text) {
  EmbedCall call;
  call.function = EmbedFunction::kText;
  call.argument = column(text);
  call.provider = "transformers";
  call.model = "m";
  call.precision = "fp32";
  call.device = "cpu";
  call.dimension = 64;
  call.dimensions = 64;
  call.normalize = true;
  call.element = tensor::DType::kF16;
  return std::make_shared<ExpressionNode>(ExpressionNode{call});
}

TEST(LogicalPlan, TextsHaveOneColumn) {
  const PlanPointer plan = with_column(read_texts({"-"}), {"e", embed_text_of("text")});
  EXPECT_EQ(names(plan->schema), "text String; e Embedding[Float16; 64]; ");
  EXPECT_THAT(explain(*plan), HasSubstr("ReadTexts: standard input"));
  EXPECT_THAT(explain(*plan),
              HasSubstr(R"(embed_text(col("text"), provider="transformers", model="m", )"
                        R"(precision="fp32", device="cpu", dimensions=64, normalize=True, )"
                        R"(dtype="float16", on_error="raise"))"));
  EXPECT_EQ(sources(lower(*plan)), "text1 e6 ");
}

TEST(LogicalPlan, EachFunctionHasItsOwnTypeOfColumn) {
  EXPECT_THAT(refusal([] {
                with_column(read_texts({"t"}), {"e", embed("text")});
              }),
              HasSubstr("embed_image: argument col(\"text\") has type String, but an Image"));
  EXPECT_THAT(refusal([] {
                with_column(images(), {"e", embed_text_of("image")});
              }),
              HasSubstr("embed_text: argument col(\"image\") has type Image[RGB], but a String"));
}

TEST(PhysicalPlan, TextsThatAreNotReadAsSuchAreRefused) {
  const PlanPointer plan = with_column(images(), {"e", embed_text_of("path")});
  EXPECT_THAT(refusal([&] { lower(*plan); }),
              HasSubstr("embed_text: col(\"path\") is not a column of read_texts"));
}

}  // namespace
}  // namespace vecframe::plan
