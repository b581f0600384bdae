// Text towers by their own rules; tests/golden/texts_test.cc holds their vectors to the reference.

#include "models/text_transformer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/reference/reference_backend.h"
#include "counting_stream.h"
#include "golden_copy.h"

namespace vecframe::models {
namespace {

using Ids = std::vector<TokenId>;

struct Loaded {
  explicit Loaded(const std::string& name)
      : description(
            describe_text_model(std::make_shared<const Checkpoint>(name, golden_texts(name)))),
        backend(backends::reference::make_reference_backend()),
        model(description.load(*backend, tensor::Precision::kFp32)) {}

  std::vector<float> embed(const std::vector<Ids>& texts) const {
    std::vector<float> out(texts.size() * static_cast<std::size_t>(description.dimension));
    model->embed(*backend->make_stream(), texts, out);
    return out;
  }

  TextModelDescription description;
  std::shared_ptr<compute::Backend> backend;
  std::unique_ptr<TextModel> model;
};

class TextMemory : public testing::TestWithParam<const char*> {};

TEST_P(TextMemory, ActivationBytesAreATightUpperBound) {
  const Loaded loaded(GetParam());
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "cat ";
  const Ids ids = loaded.model->tokenize(long_text);
  ASSERT_EQ(static_cast<std::int64_t>(ids.size()), loaded.description.max_tokens);
  for (const std::size_t batch : {1u, 2u, 5u}) {
    const std::vector<Ids> texts(batch, ids);
    std::vector<float> out(batch * static_cast<std::size_t>(loaded.description.dimension));
    CountingStream stream(loaded.backend->make_stream());
    loaded.model->embed(stream, texts, out);
    const std::int64_t said = loaded.model->activation_bytes(static_cast<std::int64_t>(batch));
    EXPECT_LE(stream.peak() * 4, said);
    EXPECT_GE(stream.peak() * 4, said * 3 / 4 - 800);  // one text lies beside the stream
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TextMemory,
                         testing::Values("clip_text", "clip_text_alone", "siglip2", "aimv2"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(TextTransformer, EndsAtTheEndTokenThoughItIsNotTheLargest) {
  const Loaded loaded("clip_end_not_largest");
  const TokenId end = 791, larger = 792;
  const Ids ids = loaded.model->tokenize("a cat <extra> and a dog");
  EXPECT_EQ(ids.back(), end);
  EXPECT_NE(std::find(ids.begin(), ids.end(), larger), ids.end());
}

TEST(TextTransformer, LegacyConfigsEndAtTheLargestId) {
  const Loaded loaded("clip_legacy");
  const Ids ids = loaded.model->tokenize("a cat <extra> and a dog");
  EXPECT_EQ(ids.back(), 792);
  EXPECT_EQ(std::find(ids.begin(), ids.end(), 791), ids.end());
  EXPECT_EQ(loaded.model->tokenize("a cat").back(), 791);
}

TEST(TextTransformer, NothingFollowsAnEndTokenSpelledInTheText) {
  const Loaded loaded("clip_text");
  EXPECT_EQ(loaded.model->tokenize("a cat<|endoftext|>and a dog"), loaded.model->tokenize("a cat"));
}

TEST(TextTransformer, SiglipsPaddingIsPartOfTheText) {
  for (const auto& [name, padding] : {std::pair{"siglip2", 0}, std::pair{"siglip", 1}}) {
    if (std::string(name) == "siglip" && !VECFRAME_TEST_SENTENCEPIECE) continue;
    const Loaded loaded(name);
    const Ids ids = loaded.model->tokenize("a cat");
    EXPECT_EQ(ids.size(), 16u);
    EXPECT_EQ(ids.back(), padding) << name;
    EXPECT_THROW(loaded.embed({{5, 6, 1}}), std::invalid_argument) << "padding left out";
    // Another padding is another text.
    Ids other = ids;
    other[14] = 7;
    EXPECT_NE(loaded.embed({ids}), loaded.embed({other}));
  }
}

TEST(TextTransformer, AnIdBeyondTheTableIsNeverRead) {
  const Loaded loaded("clip_text");
  EXPECT_THROW(loaded.embed({{1, 792}}), std::out_of_range);
  EXPECT_THROW(loaded.embed({{1, -1}}), std::out_of_range);
  EXPECT_THROW(loaded.embed({Ids{}}), std::invalid_argument);
  EXPECT_THROW(loaded.embed({Ids(21, 1)}), std::invalid_argument);
  EXPECT_TRUE(loaded.embed({}).empty());
}

TEST(TextTransformer, KeepsItsCheckpointOpen) {
  const auto backend = backends::reference::make_reference_backend();
  std::unique_ptr<TextModel> model;
  {
    auto checkpoint = std::make_shared<const Checkpoint>("clip", golden_texts("clip_text"));
    model = describe_text_model(checkpoint).load(*backend, tensor::Precision::kFp32);
  }
  std::vector<float> out(20, 0.0f);
  model->embed(*backend->make_stream(), std::vector<Ids>{model->tokenize("a cat")}, out);
  EXPECT_NE(out[0], 0.0f);
}

}  // namespace
}  // namespace vecframe::models
