#include "models/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include "temporary_model.h"

namespace vecframe::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<TensorInfo> parse(const std::string& bytes) {
  return parse_safetensors({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()},
                           "w.safetensors");
}

std::string refusal(std::string_view header, std::size_t data_bytes) {
  const std::string bytes = safetensors_bytes(header, std::string(data_bytes, '\0'));
  return message_of<RequestError>([&] { parse(bytes); });
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirData) {
  const std::string bytes = safetensors_bytes(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
      R"("a":{"shape":[2,1],"dtype":"BF16","data_offsets":[0,4]}}  )",
      std::string("\x80\x3f\x00\xc0", 4) + std::string("\x00\x00\xc0\x3f", 4));
  const auto tensors = parse(bytes);
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "a");
  EXPECT_EQ(tensors[0].dtype, "BF16");
  EXPECT_THAT(tensors[0].shape, ElementsAre(2, 1));
  std::vector<float> values(2);
  widen(tensors[0], values);
  EXPECT_THAT(values, ElementsAre(1.0f, -2.0f));
  values.resize(1);
  widen(tensors[1], values);
  EXPECT_THAT(values, ElementsAre(1.5f));
}

TEST(Safetensors, WidensHalves) {
  // 1, -2, 65504, the least subnormal.
  const std::string bytes =
      safetensors_bytes(R"({"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})",
                        std::string("\x00\x3c\x00\xc0\xff\x7b\x01\x00", 8));
  std::vector<float> values(4);
  widen(parse(bytes)[0], values);
  EXPECT_THAT(values, ElementsAre(1.0f, -2.0f, 65504.0f, 0x1p-24f));
}

TEST(Safetensors, CarriesOtherTypesButDoesNotWidenThem) {
  const std::string bytes =
      safetensors_bytes(R"({"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                        R"("s":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
                        R"("none":{"dtype":"F32","shape":[0,7],"data_offsets":[12,12]}})",
                        std::string(12, '\0'));
  const auto tensors = parse(bytes);
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[1].count(), 1);
  EXPECT_EQ(tensors[2].count(), 0);
  std::vector<float> values(1);
  EXPECT_THAT(message_of<RequestError>([&] { widen(tensors[0], values); }),
              HasSubstr("'ids' is stored as I64"));
}

TEST(Safetensors, RefusesWhatIsNoHeader) {
  EXPECT_THAT(message_of<RequestError>([] { parse("short"); }),
              StartsWith("w.safetensors: not a usable safetensors file"));
  EXPECT_THAT(message_of<RequestError>([] { parse(std::string(8, '\0')); }), HasSubstr("'{'"));
  EXPECT_THAT(message_of<RequestError>([] { parse(std::string(16, '\xff')); }),
              HasSubstr("more than 100000000"));
  std::string claims_more = safetensors_bytes("{}", "");
  claims_more[0] = 9;
  EXPECT_THAT(message_of<RequestError>([&] { parse(claims_more); }),
              HasSubstr("a header of 9 bytes in a file of 10"));
  EXPECT_THAT(refusal(R"({"a":)", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{\"\xff\":{}}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("{}{}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal("[]", 0), HasSubstr("'{'"));
}

TEST(Safetensors, RefusesMalformedEntries) {
  const auto entry = [](std::string_view fields) {
    return refusal("{\"a\":{" + std::string(fields) + "}}", 4);
  };
  EXPECT_THAT(entry(R"("shape":[1],"data_offsets":[0,4])"), HasSubstr("'a' has no dtype"));
  EXPECT_THAT(entry(R"("dtype":"F32","data_offsets":[0,4])"), HasSubstr("has no shape"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[1])"), HasSubstr("has no data_offsets"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0])"),
              HasSubstr("has no data_offsets [begin, end]"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,4])"),
              HasSubstr("more than two"));
  EXPECT_THAT(entry(R"("dtype":"F33","shape":[1],"data_offsets":[0,4])"), HasSubstr("'F33'"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), HasSubstr("negative"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])"), HasSubstr("fraction"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[[1]],"data_offsets":[0,4])"), HasSubstr("a list"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":1,"data_offsets":[0,4])"), HasSubstr("a number"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"),
              HasSubstr("more than 8 dimensions"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1)"),
              HasSubstr("unknown field 'x'"));
  EXPECT_THAT(entry(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"),
              HasSubstr("has dtype twice"));
  EXPECT_THAT(entry(R"("dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4])"),
              HasSubstr("has shape twice"));
  EXPECT_THAT(entry(R"("dtype":null,"shape":[1],"data_offsets":[0,4])"), HasSubstr("null"));
  EXPECT_THAT(refusal(R"({"a":7})", 0), HasSubstr("a number"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"x":{"y":"z"}}})", 0), HasSubstr("an object"));
}

TEST(Safetensors, RefusesDuplicateNames) {
  EXPECT_THAT(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                      R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                      8),
              HasSubstr("'a' occurs twice"));
}

TEST(Safetensors, RefusesOffsetsThatDoNotTileTheData) {
  const auto at = [](std::string_view offsets, std::size_t data) {
    return refusal(
        R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + std::string(offsets) + "}}", data);
  };
  EXPECT_THAT(at("[0,8]", 4), HasSubstr("lies at [0, 8) of 4 data bytes"));
  EXPECT_THAT(at("[4,0]", 8), HasSubstr("lies at [4, 0)"));
  EXPECT_THAT(at("[4,8]", 8), HasSubstr("begins at 4"));
  EXPECT_THAT(at("[0,4]", 8), HasSubstr("belong to no tensor"));
  EXPECT_THAT(at("[0,8]", 8), HasSubstr("does not fill its 8 bytes"));
  EXPECT_THAT(at("[0,18446744073709551615]", 8), HasSubstr("lies at"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                      R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                      12),
              HasSubstr("'b' begins at 4, but the tensor before it ends at 8"));
}

TEST(Safetensors, RefusesShapesThatOverflow) {
  EXPECT_THAT(refusal(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],)"
                      R"("data_offsets":[0,0]}})",
                      0),
              HasSubstr("does not fill"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"F32","shape":[18446744073709551615],)"
                      R"("data_offsets":[0,0]}})",
                      0),
              HasSubstr("overflows"));
}

TEST(Safetensors, StaysShallowInDeepNesting) {
  const std::string deep(1 << 20, '[');
  EXPECT_THAT(refusal("{\"a\":" + deep, 0), HasSubstr("unexpected a list"));
  std::string objects = R"({"a":{"shape":)";
  for (int i = 0; i < 1 << 18; ++i) objects += R"({"x":)";
  EXPECT_THAT(refusal(objects, 0), HasSubstr("unexpected an object"));
}

TEST(Safetensors, NamesAFileThatIsNotThere) {
  EXPECT_THAT(message_of<RequestError>([] { SafetensorsFile("/nowhere/x.safetensors"); }),
              HasSubstr("/nowhere/x.safetensors: cannot be read"));
}

}  // namespace
}  // namespace vecframe::models
