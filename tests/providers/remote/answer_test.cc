#include "providers/remote/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "providers/http/base64.h"

namespace vecframe::providers {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const AnswerPointers& pointers() { return find_wire_format("openai")->answer; }

AnswerRows rows_of(const std::string& text, std::size_t rows, std::int64_t dimension) {
  auto answer = read_answer(pointers(), text, rows, dimension);
  if (const auto* fault = std::get_if<AnswerFault>(&answer)) {
    ADD_FAILURE() << fault->message;
    return AnswerRows(rows);
  }
  return std::get<AnswerRows>(std::move(answer));
}

std::string fault_of(const std::string& text, std::size_t rows, std::int64_t dimension = 2) {
  const auto answer = read_answer(pointers(), text, rows, dimension);
  const auto* fault = std::get_if<AnswerFault>(&answer);
  return fault == nullptr ? "none" : fault->message;
}

std::string error_of(const std::string& vector, std::int64_t dimension = 2) {
  return rows_of(R"({"data":[{"embedding":)" + vector + "}]}", 1, dimension).at(0).error;
}

template <class T>
std::string packed(const std::vector<T>& values) {
  std::string text;
  append_base64(std::as_bytes(std::span(values)), text);
  return json(text).dump();
}

TEST(AnswerTest, NumbersAndBase64) {
  const AnswerRows rows = rows_of(
      R"({"object":"list","data":[{"index":0,"embedding":[1,-2.5]},{"index":1,"embedding":)" +
          packed<float>({3, 4}) + R"(}],"model":"m","usage":{"total_tokens":3}})",
      2, 2);
  EXPECT_THAT(rows[0].values, ElementsAre(1, -2.5));
  EXPECT_THAT(rows[1].values, ElementsAre(3, 4));
}

TEST(AnswerTest, AnyDimensionWhereNoneIsKnown) {
  EXPECT_EQ(rows_of(R"({"data":[{"embedding":[1,2,3]}]})", 1, 0)[0].values.size(), 3u);
  EXPECT_EQ(rows_of(R"({"data":[{"embedding":)" + packed<float>({1, 2, 3}) + "}]}", 1, 0)[0]
                .values.size(),
            3u);
}

TEST(AnswerTest, TheIndexPutsVectorsInTheirRows) {
  const AnswerRows rows = rows_of(
      R"({"data":[{"embedding":[2],"index":2},{"index":0,"embedding":[0]},{"index":1,"embedding":[1]}]})",
      3, 1);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_THAT(rows[i].values, ElementsAre(static_cast<float>(i)));
}

TEST(AnswerTest, WithoutIndexThePositionCounts) {
  const AnswerRows rows = rows_of(R"({"data":[{"embedding":[7]},{"embedding":[8]}]})", 2, 1);
  EXPECT_THAT(rows[1].values, ElementsAre(8));
}

TEST(AnswerTest, IndicesThatAreNoPermutation) {
  const auto with = [](const char* a, const char* b) {
    return std::string(R"({"data":[{"embedding":[1,2])") + a + R"(},{"embedding":[1,2])" + b +
           "}]}";
  };
  EXPECT_EQ(fault_of(with(R"(,"index":1)", R"(,"index":0)"), 2), "none");
  EXPECT_THAT(fault_of(with(R"(,"index":0)", R"(,"index":0)"), 2), HasSubstr("indices"));
  EXPECT_THAT(fault_of(with(R"(,"index":0)", R"(,"index":2)"), 2), HasSubstr("indices"));
  EXPECT_THAT(fault_of(with(R"(,"index":0)", R"(,"index":-1)"), 2), HasSubstr("indices"));
  EXPECT_THAT(fault_of(with(R"(,"index":0)", R"(,"index":18446744073709551615)"), 2),
              HasSubstr("indices"));
  EXPECT_THAT(fault_of(with(R"(,"index":0)", ""), 2), HasSubstr("some have none"));
  EXPECT_THAT(fault_of(with(R"(,"index":"0")", R"(,"index":"1")"), 2), HasSubstr("a string"));
  EXPECT_THAT(fault_of(with(R"(,"index":0.5)", R"(,"index":1)"), 2), HasSubstr("a number"));
  EXPECT_THAT(fault_of(with(R"(,"index":[0])", R"(,"index":1)"), 2), HasSubstr("no number"));
}

TEST(AnswerTest, AnotherNumberOfVectors) {
  EXPECT_EQ(fault_of(R"({"data":[{"embedding":[1,2]}]})", 2),
            "the answer has 1 vectors for 2 rows");
  EXPECT_EQ(fault_of(R"({"data":[{"embedding":[1,2]},{"embedding":[1,2]}]})", 1),
            "the answer has more than 1 vectors");
  EXPECT_EQ(fault_of(R"({"data":[]})", 1), "the answer has 0 vectors for 1 rows");
  EXPECT_EQ(fault_of(R"({})", 1), "the answer has 0 vectors for 1 rows");
  EXPECT_EQ(fault_of(R"([1])", 1), "the answer has 0 vectors for 1 rows");
  EXPECT_EQ(fault_of(R"({"data":{"embedding":[1,2]}})", 1), "the answer has 0 vectors for 1 rows");
}

TEST(AnswerTest, OneBadVectorIsOneRow) {
  const AnswerRows rows = rows_of(
      R"({"data":[{"embedding":[1,2]},{"embedding":[1,null]},null,{"embedding":[1]},{"embedding":[3,4]}]})",
      5, 2);
  EXPECT_THAT(rows[0].values, ElementsAre(1, 2));
  EXPECT_THAT(rows[1].error, HasSubstr("null"));
  EXPECT_THAT(rows[2].error, HasSubstr("no vector"));
  EXPECT_THAT(rows[3].error, HasSubstr("1 values in place of 2"));
  EXPECT_THAT(rows[4].values, ElementsAre(3, 4));
}

TEST(AnswerTest, WhatIsNoVector) {
  EXPECT_THAT(error_of("[]"), HasSubstr("no vector"));
  EXPECT_THAT(error_of("null"), HasSubstr("no vector"));
  EXPECT_THAT(error_of("7"), HasSubstr("in place of a vector"));
  EXPECT_THAT(error_of("{}"), HasSubstr("an object"));
  EXPECT_THAT(error_of("[1,\"2\"]"), HasSubstr("a string"));
  EXPECT_THAT(error_of("[1,true]"), HasSubstr("a boolean"));
  EXPECT_THAT(error_of("[[1,2],[3,4]]"), HasSubstr("lists inside"));
  EXPECT_THAT(error_of("[1,1e39]"), HasSubstr("beyond float32"));
  EXPECT_THAT(error_of("[1,2,3]"), HasSubstr("3 values in place of 2"));
  EXPECT_THAT(error_of("\"no base64!\""), HasSubstr("not base64"));
  EXPECT_THAT(error_of("\"AAAAAAA=\""), HasSubstr("5 bytes"));
  EXPECT_THAT(error_of(packed<double>({1, 2})), HasSubstr("4 values in place of 2"));
  EXPECT_THAT(error_of(packed<float>({1, std::numeric_limits<float>::quiet_NaN()})),
              HasSubstr("NaN"));
  EXPECT_THAT(error_of(packed<float>({std::numeric_limits<float>::infinity(), 1})),
              HasSubstr("NaN or infinity"));
}

TEST(AnswerTest, WhatIsNoJson) {
  for (const char* text :
       {"", "<html>", R"({"data":[{"embedding":[1,2)", R"({"data":[{"embedding":[NaN,1]}]})",
        R"({"data":[{"embedding":[1e999,1]}]})", "{\"data\":[{\"embedding\":\"\xff\xfe\"}]}",
        R"({"data":[{"embedding":[1,2]}]} and more)"})
    EXPECT_THAT(fault_of(text, 1), HasSubstr("not JSON")) << text;
}

TEST(AnswerTest, DepthIsBounded) {
  EXPECT_THAT(fault_of(std::string(1 << 20, '['), 1), HasSubstr("too deep"));
  std::string nested = R"({"data":[{"embedding":)";
  for (int i = 0; i < 100'000; ++i) nested += R"({"a":)";
  EXPECT_THAT(fault_of(nested, 1), HasSubstr("too deep"));
}

TEST(AnswerTest, AnErrorInTheGuiseOfASuccess) {
  const auto answer =
      read_answer(pointers(), R"({"error":{"message":"overloaded","code":503}})", 1, 2);
  ASSERT_TRUE(std::holds_alternative<AnswerFault>(answer));
  EXPECT_TRUE(std::get<AnswerFault>(answer).is_error);
  EXPECT_EQ(fault_of(R"({"error":null,"data":[{"embedding":[1,2]}]})", 1), "none");
}

TEST(AnswerTest, OtherDialectsAreOtherPointers) {
  const AnswerPointers cohere{"/embeddings/float/*", "", "/message"};
  auto answer = read_answer(cohere, R"({"id":"x","embeddings":{"float":[[1,2],[3,4]]}})", 2, 2);
  ASSERT_TRUE(std::holds_alternative<AnswerRows>(answer));
  EXPECT_THAT(std::get<AnswerRows>(answer)[1].values, ElementsAre(3, 4));
  const AnswerPointers vertex{"/predictions/*/imageEmbedding", "", ""};
  answer = read_answer(vertex, R"({"predictions":[{"imageEmbedding":[5,6]}]})", 1, 2);
  ASSERT_TRUE(std::holds_alternative<AnswerRows>(answer));
  const AnswerPointers titan{"/embedding", "", "/message"};
  answer = read_answer(titan, R"({"embedding":[7,8],"message":null})", 1, 2);
  ASSERT_TRUE(std::holds_alternative<AnswerRows>(answer));
  EXPECT_THAT(std::get<AnswerRows>(answer)[0].values, ElementsAre(7, 8));
  answer = read_answer(titan, R"({"embedding":null,"message":"too large"})", 1, 2);
  EXPECT_TRUE(std::get<AnswerFault>(answer).is_error);
}

}  // namespace
}  // namespace vecframe::providers
