#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "plan/explain.h"
#include "plan/json_plan.h"
#include "plan/json_text.h"
#include "plan_examples.h"
#include "refusal.h"

namespace vecframe::plan {
namespace {

using testing::HasSubstr;
using testing::Not;

const EncodeRows kEncode = [](const FromMemory&) { return std::string("rows\0\xff", 6); };
const DecodeRows kDecode = [](std::string_view bytes) {
  EXPECT_EQ(bytes, std::string_view("rows\0\xff", 6));
  return std::get<FromMemory>(products()->node);
};

std::string written(const PlanPointer& plan) { return plan_to_json(*plan, kEncode); }
PlanPointer read(const std::string& text) { return plan_from_json(text, kRelational, kDecode); }

void expect_round_trip(const PlanPointer& plan) {
  const std::string text = written(plan);
  const PlanPointer back = read(text);
  EXPECT_EQ(written(back), text);
  EXPECT_EQ(explain(*back), explain(*plan));
  EXPECT_EQ(back->schema.fields, plan->schema.fields);
}

NodePointer literal(columnar::Literal value) {
  return std::make_shared<ExpressionNode>(ExpressionNode{LiteralValue{std::move(value)}});
}

TEST(PlanJson, EveryOperationComesBack) {
  PlanPointer plan =
      with_column(with_pictures(), {"e", embed(column("image"), "why")}, kRelational);
  plan = where(plan, {call("greater", {column("price"), literal(1.5)})}, kRelational);
  plan = sort(plan, {{{"price", true, false}, {"sku", false, true}}});
  plan = sample(plan, {0.25, std::nullopt, std::numeric_limits<std::uint64_t>::max()});
  plan = sample(plan, {std::nullopt, 12, 0});
  plan = drop_nulls(plan, {{"url"}});
  plan = limit(concat(plan, {limit(plan, {3})}), {7});
  expect_round_trip(chosen(plan, {"e", "why", "sku"}));
}

TEST(PlanJson, EverySourceComesBack) {
  ReadImagesOptions options;
  options.apply_orientation = false;
  options.max_pixels = 123;
  expect_round_trip(read_images({{"photos/", "ü\"\n"}, options}));
  expect_round_trip(read_texts({"-"}));
  expect_round_trip(from_glob({{"**/*.jpg"}}));
  columnar::Schema schema;
  schema.fields = {{"path", {columnar::TypeKind::kString}, false},
                   {"e", {columnar::TypeKind::kEmbedding, 8, tensor::DType::kF16}},
                   {"image", {columnar::TypeKind::kImage, 0, {}, {3, 288, 288}}},
                   {"mixed", {columnar::TypeKind::kImage}}};
  expect_round_trip(read_parquet({{"a.parquet", "b.parquet"}, schema}));
  expect_round_trip(read_parquet({{"a.parquet"}, schema, 12}));
}

TEST(PlanJson, LiteralsKeepTheirTypes) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const columnar::Literal& value :
       std::vector<columnar::Literal>{{},
                                      true,
                                      std::int64_t{1},
                                      std::numeric_limits<std::int64_t>::min(),
                                      1.0,
                                      -0.0,
                                      0.1,
                                      -inf,
                                      std::string("a \"text\"\n"),
                                      std::vector<double>{},
                                      std::vector<double>{1.0, -0.5, inf}}) {
    const NamedJson back = expression_from_json_text(expression_to_json_text({literal(value), {}}));
    EXPECT_EQ(std::get<LiteralValue>(back.node->value).value, value);
    EXPECT_EQ(to_string(*back.node), to_string(*literal(value)));
  }
  EXPECT_NE(to_string(*literal(1.0)), to_string(*literal(std::int64_t{1})));
  EXPECT_NE(to_string(*literal(std::vector<double>(100, 1.0))),
            to_string(*literal(std::vector<double>(100, 2.0))));
}

TEST(PlanJson, AnExpressionKeepsItsName) {
  const NamedJson back = expression_from_json_text(
      expression_to_json_text({call("image_width", {column("image")}), "w"}));
  EXPECT_EQ(back.name, "w");
  EXPECT_EQ(to_string(*back.node), "image_width(col(\"image\"))");
}

TEST(PlanJson, EveryFieldOfAnEmbeddingComesBack) {
  EmbedCall made;
  made.function = EmbedFunction::kText;
  made.argument = column("url");
  made.provider = "transformers";
  made.model = "m";
  made.model_fingerprint = "f00d";
  made.precision = "bf16";
  made.device = "cpu";
  made.pooling = "mean";
  made.image_size = 112;
  made.dimension = 8;
  made.dimensions = 8;
  made.normalize = true;
  made.element = tensor::DType::kF16;
  made.batch_size = 3;
  made.concurrency = 4;
  made.max_retries = 0;
  made.num_gpus = 0.5;
  made.options = {{"base_url", std::string("http://localhost/v1")}, {"retries", std::int64_t{3}}};
  made.on_error = OnError::kLog;
  made.error_column = "why";
  const auto node = std::make_shared<ExpressionNode>(ExpressionNode{made});
  expect_round_trip(with_column(products(), {"e", node}));
  EXPECT_THAT(expression_to_json_text({node, {}}), HasSubstr("\"model_fingerprint\":\"f00d\""));
}

TEST(PlanJson, SaysWhatCannotBeWritten) {
  EXPECT_THAT(refusal([] {
                plan_to_json(*products(), [](const FromMemory&) {
                  return std::string(kMostMemoryBytes + 1, 'x');
                });
              }),
              HasSubstr("16777217 bytes in memory"));
  NodePointer deep = column("sku");
  for (int i = 0; i < 600; ++i) deep = call("negate", {deep});
  EXPECT_THAT(refusal([&] { expression_to_json_text({deep, {}}); }), HasSubstr("nested"));
  EXPECT_THAT(refusal([&] {
                expression_to_json_text({literal(std::string("\xff")), {}});
              }),
              HasSubstr("no UTF-8"));
}

TEST(PlanJson, RefusesWhatItDidNotWrite) {
  const std::string good = written(limit(products(), {3}));
  EXPECT_EQ(refusal([&] { read(good); }), "no error");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return refusal([&] { read(text); });
  };
  EXPECT_THAT(changed("\"version\":1", "\"version\":2"), HasSubstr("version 2"));
  EXPECT_THAT(changed("\"vecframe\":\"plan\"", "\"vecframe\":\"expression\""),
              HasSubstr("is no plan"));
  EXPECT_THAT(changed("\"limit\"", "\"limits\""), HasSubstr("'limits'"));
  EXPECT_THAT(changed(":3", ":-3"), HasSubstr("-3"));
  EXPECT_THAT(changed(":3", ":3.5"), HasSubstr("'count'"));
  EXPECT_THAT(changed(":3", ":18446744073709551615"), HasSubstr("'count'"));
  EXPECT_THAT(changed("\"arrow_ipc\":\"", "\"arrow_ipc\":\"*"), HasSubstr("arrow_ipc"));
  EXPECT_THAT(changed("from_memory", "limit"), HasSubstr("no source"));
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(refusal([&] { read(good.substr(0, length)); }), "no error") << length;
  for (const char* text : {"", "[]", "{}", "nul", "3", "{\"vecframe\":\"plan\",\"version\":1}",
                           R"({"vecframe":"plan","version":1,"plan":[]})",
                           R"({"vecframe":"plan","version":1,"plan":[3]})"})
    EXPECT_NE(refusal([&] { read(text); }), "no error") << text;
}

TEST(PlanJson, IsBoundedInDepthAndLength) {
  EXPECT_THAT(refusal([] { read(std::string(1 << 20, '[')); }), HasSubstr("nested"));
  EXPECT_THAT(refusal([] { read(std::string(kMostJsonBytes + 1, ' ')); }), HasSubstr("bytes"));
  std::string many = written(products());
  const std::string one = R"(,{"op":"limit","count":3})";
  const std::size_t end = many.rfind(']');
  std::string more;
  for (int i = 0; i < 5000; ++i) more += one;
  EXPECT_THAT(refusal([&] { read(std::string(many).insert(end, more)); }),
              HasSubstr("more than 4000 operations"));
}

TEST(PlanJson, ChecksWhatBuildingChecks) {
  std::string text = written(with_column(products(), {"x", call("download", {column("url")})}));
  text.replace(text.find("\"col\":\"url\""), 11, "\"col\":\"ulr\"");
  EXPECT_THAT(refusal([&] { read(text); }), HasSubstr("did you mean 'url'?"));
  std::string defer = written(with_column(products(), {"x", call("download", {column("url")})}));
  defer.replace(defer.find("\"raise\""), 7, "\"defer\"");
  EXPECT_THAT(refusal([&] { read(defer); }), HasSubstr("Invalid on_error"));
}

}  // namespace
}  // namespace vecframe::plan
