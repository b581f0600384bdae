#include "columnar/schema.h"

#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <cstring>
#include <map>

namespace vecframe::columnar {
namespace {

using Metadata = std::map<std::string, std::string>;

Metadata decode(const char* bytes) {
  Metadata metadata;
  if (bytes == nullptr) return metadata;
  const auto number = [&] {
    std::int32_t value;
    std::memcpy(&value, bytes, sizeof value);
    bytes += sizeof value;
    return value;
  };
  const auto text = [&] {
    const std::int32_t size = number();
    std::string value(bytes, static_cast<std::size_t>(size));
    bytes += size;
    return value;
  };
  for (std::int32_t left = number(); left > 0; --left) {
    std::string key = text();
    metadata[key] = text();
  }
  return metadata;
}

Schema example() {
  return {.fields = {{"path", {TypeKind::kString}, /*nullable=*/false},
                     {"embedding", {TypeKind::kEmbedding, 1280}, /*nullable=*/true},
                     {"width", {TypeKind::kUInt32}, /*nullable=*/true},
                     {"row", {TypeKind::kInt64}, /*nullable=*/false}},
          .metadata = {{"vecframe.model", "m"}, {"empty", ""}}};
}

TEST(Schema, FormatsNamesAndFlagsAreThoseOfTheSpecification) {
  ArrowSchema out;
  export_schema(example(), &out);
  EXPECT_STREQ(out.format, "+s");
  EXPECT_EQ(decode(out.metadata), (Metadata{{"vecframe.model", "m"}, {"empty", ""}}));
  ASSERT_EQ(out.n_children, 4);
  const char* formats[] = {"u", "+w:1280", "I", "l"};
  const char* names[] = {"path", "embedding", "width", "row"};
  const std::int64_t flags[] = {0, ARROW_FLAG_NULLABLE, ARROW_FLAG_NULLABLE, 0};
  for (int i = 0; i < 4; ++i) {
    EXPECT_STREQ(out.children[i]->format, formats[i]);
    EXPECT_STREQ(out.children[i]->name, names[i]);
    EXPECT_EQ(out.children[i]->flags, flags[i]);
    EXPECT_EQ(out.children[i]->dictionary, nullptr);
    EXPECT_EQ(out.children[i]->metadata != nullptr, i == 1);
  }
  out.release(&out);
  EXPECT_EQ(out.release, nullptr);
}

TEST(Schema, AnEmbeddingIsAnExtensionOverAListOfFixedSize) {
  ArrowSchema out;
  export_schema(example(), &out);
  const ArrowSchema& field = *out.children[1];
  EXPECT_EQ(decode(field.metadata),
            (Metadata{{"ARROW:extension:name", "vecframe.embedding"},
                      {"ARROW:extension:metadata", R"({"dtype":"float32","dimension":1280})"}}));
  ASSERT_EQ(field.n_children, 1);
  EXPECT_STREQ(field.children[0]->format, "f");
  EXPECT_STREQ(field.children[0]->name, "item");
  EXPECT_EQ(field.children[0]->flags, 0) << "a value of a vector is never null";
  out.release(&out);
}

TEST(Schema, AChildThatWasMovedOutOutlivesItsParent) {
  ArrowSchema out;
  export_schema(example(), &out);
  ArrowSchema moved = *out.children[1];
  out.children[1]->release = nullptr;
  out.release(&out);
  EXPECT_STREQ(moved.format, "+w:1280");
  EXPECT_STREQ(moved.children[0]->name, "item");
  auto* release = moved.release;
  moved.release(&moved);
  EXPECT_EQ(moved.release, nullptr);
  release(&moved);  // a second time: nothing to do
}

TEST(Schema, AColumnWithoutAStoredFormIsRefusedByName) {
  ArrowSchema out{};
  Schema schema = example();
  schema.fields.push_back({"image", {TypeKind::kOther}, true});
  try {
    export_schema(schema, &out);
    FAIL() << "expected RequestError";
  } catch (const RequestError& error) {
    EXPECT_NE(std::string(error.what()).find("'image'"), std::string::npos);
  }
  EXPECT_EQ(out.release, nullptr);
}

TEST(Schema, AHalfEmbeddingIsAListOfHalves) {
  Schema schema;
  schema.fields = {{"e", {TypeKind::kEmbedding, 7, tensor::DType::kF16}, true}};
  ArrowSchema out{};
  export_schema(schema, &out);
  EXPECT_STREQ(out.children[0]->format, "+w:7");
  EXPECT_STREQ(out.children[0]->children[0]->format, "e");
  EXPECT_EQ(decode(out.children[0]->metadata),
            (Metadata{{"ARROW:extension:name", "vecframe.embedding"},
                      {"ARROW:extension:metadata", R"({"dtype":"float16","dimension":7})"}}));
  out.release(&out);
}

TEST(Schema, TypesReadWell) {
  EXPECT_EQ((DataType{TypeKind::kEmbedding, 512}).to_string(), "Embedding[Float32; 512]");
  EXPECT_EQ((DataType{TypeKind::kEmbedding, 512, tensor::DType::kF16}).to_string(),
            "Embedding[Float16; 512]");
  EXPECT_EQ((DataType{TypeKind::kUInt32}).to_string(), "UInt32");
  EXPECT_EQ(example().find("width"), 2);
  EXPECT_EQ(example().find("Width"), -1);
}

}  // namespace
}  // namespace vecframe::columnar
