#include "columnar/schema_json.h"

#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

namespace vecframe::columnar {
namespace {

using Json = nlohmann::ordered_json;

// A type of somebody else's with a child, flags, and metadata that are no text.
DataType foreign_type() {
  const std::string metadata = [] {
    std::string bytes;
    const auto number = [&](std::int32_t value) {
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    number(1);
    number(3);
    bytes += "key";
    number(2);
    bytes += "\x80\xff";
    return bytes;
  }();
  ArrowSchema item{}, list{};
  item.format = "s";
  item.name = "item";
  list.format = "+l";
  list.name = "";
  list.metadata = metadata.data();
  list.flags = ARROW_FLAG_NULLABLE;
  std::array<ArrowSchema*, 1> children{&item};
  list.n_children = 1;
  list.children = children.data();
  return import_type(list);
}

TEST(SchemaJson, EveryTypeComesBack) {
  Schema schema;
  schema.fields = {{"path", {TypeKind::kString}, false},
                   {"bytes", {TypeKind::kBinary}},
                   {"truth", {TypeKind::kBoolean}},
                   {"count", {TypeKind::kInt64}},
                   {"width", {TypeKind::kUInt32}},
                   {"price", {TypeKind::kFloat64}},
                   {"e", {TypeKind::kEmbedding, 8, tensor::DType::kF16}},
                   {"mixed", {TypeKind::kImage}},
                   {"fixed", {TypeKind::kImage, 0, {}, {3, 28, 30}}},
                   {"other", foreign_type(), false}};
  const std::string text = schema_to_json(schema).dump();
  EXPECT_EQ(schema_from_json(Json::parse(text)).fields, schema.fields) << text;
}

TEST(SchemaJson, RefusesWhatNoTypeHas) {
  const std::string good = R"({"name":"a","format":"l"})";
  EXPECT_EQ(schema_from_json(Json::parse("[" + good + "]")).fields.size(), 1u);
  std::string deep = good;
  for (int i = 0; i < 100; ++i) deep = R"({"name":"a","format":"+l","children":[)" + deep + "]}";
  for (const std::string& field :
       {std::string("3"), std::string("[]"), std::string("{}"), deep,
        std::string(R"({"name":"a"})"), std::string(R"({"name":1,"format":"l"})"),
        std::string(R"({"name":"a","format":"+L"})"),
        std::string(R"({"name":"a","format":"+w:3","children":[]})"),
        std::string(R"({"name":"a","format":"l","children":[{"name":"b","format":"l"}]})"),
        std::string(R"({"name":"a","format":"l","nullable":1})"),
        std::string(R"({"name":"a","format":"l","flags":"x"})"),
        std::string(R"({"name":"a","format":"l","metadata":[["k"]]})"),
        std::string(R"({"name":"a","format":"l","metadata":[["k","\u4e00"]]})")})
    EXPECT_THROW(schema_from_json(Json::parse("[" + field + "]")), RequestError) << field;
  EXPECT_THROW(schema_from_json(Json::parse("{}")), RequestError);
}

}  // namespace
}  // namespace vecframe::columnar
