// Texts to vectors through whole text towers, against what the reference library makes of the same
// texts and checkpoints (tools/make_golden_texts.py).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "models/checkpoint.h"
#include "models/text_model.h"
#include "source_directory.h"
#include "test_backends.h"
#include "test_figures.h"

namespace vecframe::golden {
namespace {

namespace fs = std::filesystem;
using models::TokenId;
using Ids = std::vector<TokenId>;

constexpr float kTolerance = 1e-4f;  // of float32, absolute, for values of order 1

struct GoldenTexts {
  std::string family;
  std::vector<std::string> texts;
  std::vector<Ids> ids;             ///< as the reference's tokenizer gives them
  std::vector<std::size_t> pooled;  ///< position of the row that became the embedding
  std::vector<float> embeddings;    ///< of all texts
};

GoldenTexts read_texts(const fs::path& path) {
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file);
  GoldenTexts golden;
  json.at("family").get_to(golden.family);
  json.at("texts").get_to(golden.texts);
  json.at("ids").get_to(golden.ids);
  json.at("pooled").get_to(golden.pooled);
  for (const auto& row : json.at("embeddings"))
    for (const auto& value : row) golden.embeddings.push_back(value.get<float>());
  return golden;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names{
      "clip_text", "clip_end_not_largest", "clip_legacy", "clip_text_alone", "siglip2",
      "aimv2",     "aimv2_apple"};
  if (VECFRAME_TEST_SENTENCEPIECE) names.insert(names.end(), {"siglip", "siglip_text_alone"});
  return names;
}

class TinyTexts : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  TinyTexts()
      : directory_(fs::path(VECFRAME_SOURCE_DIR) / "tests/golden/texts" / std::get<0>(GetParam())),
        golden_(read_texts(directory_ / "golden.json")),
        backend_(test_backends().open(std::get<1>(GetParam()))),
        description_(models::describe_text_model(
            std::make_shared<const models::Checkpoint>(std::get<0>(GetParam()), directory_))),
        dimension_(static_cast<std::size_t>(description_.dimension)) {}

  std::vector<float> embed(const models::TextModel& model, const std::vector<Ids>& texts) const {
    std::vector<float> out(texts.size() * dimension_, std::nanf(""));
    const auto stream = backend_->make_stream();
    model.embed(*stream, texts, out);
    return out;
  }

  fs::path directory_;
  GoldenTexts golden_;
  std::shared_ptr<compute::Backend> backend_;
  models::TextModelDescription description_;
  std::size_t dimension_;
};

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = 0;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // so that NaN stays
  }
  return largest;
}

double smallest_cosine(const std::vector<float>& a, const std::vector<float>& b, std::size_t n) {
  double smallest = 1;
  for (std::size_t first = 0; first + n <= a.size(); first += n) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = first; i < first + n; ++i) {
      ab += double{a[i]} * b[i];
      aa += double{a[i]} * a[i];
      bb += double{b[i]} * b[i];
    }
    smallest = std::min(smallest, ab / std::sqrt(aa * bb));
  }
  return smallest;
}

TEST_P(TinyTexts, EmbedAsTheReference) {
  EXPECT_EQ(description_.family, golden_.family);
  ASSERT_GE(golden_.texts.size(), 100u);
  ASSERT_EQ(golden_.embeddings.size(), golden_.texts.size() * dimension_);
  const auto model = description_.load(*backend_, tensor::Precision::kFp32);
  std::vector<Ids> texts;
  for (std::size_t i = 0; i < golden_.texts.size(); ++i) {
    texts.push_back(model->tokenize(golden_.texts[i]));
    const Ids& all = golden_.ids[i];
    // What follows the pooled row does not reach the network.
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(golden_.pooled[i]) + 1;
    EXPECT_EQ(texts.back(), Ids(all.begin(), end)) << golden_.texts[i];
  }
  const float difference = largest_difference(embed(*model, texts), golden_.embeddings);
  EXPECT_LE(difference, kTolerance);
  const auto bf16 = description_.load(*backend_, tensor::Precision::kBf16);
  const double cosine = smallest_cosine(embed(*bf16, texts), golden_.embeddings, dimension_);
  EXPECT_GE(cosine, 0.99);
  record_figures("texts/" + std::get<0>(GetParam()), std::get<1>(GetParam()), difference,
                 1 - cosine);
  if (!backend_->supports(tensor::Precision::kFp16)) return;
  const auto fp16 = description_.load(*backend_, tensor::Precision::kFp16);
  EXPECT_GE(smallest_cosine(embed(*fp16, texts), golden_.embeddings, dimension_),
            kLeastCosineOfFp16);
}

TEST_P(TinyTexts, RowsDoNotDependOnTheirBatch) {
  const auto model = description_.load(*backend_, tensor::Precision::kFp32);
  std::vector<Ids> texts;
  for (const std::string& text : golden_.texts) texts.push_back(model->tokenize(text));
  const std::vector<float> together = embed(*model, texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto begin = together.begin() + static_cast<std::ptrdiff_t>(i * dimension_);
    const std::vector<float> row(begin, begin + static_cast<std::ptrdiff_t>(dimension_));
    EXPECT_LE(largest_difference(embed(*model, {texts[i]}), row), 1e-5f) << golden_.texts[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TinyTexts,
                         testing::Combine(testing::ValuesIn(model_names()),
                                          testing::ValuesIn(backend_names())),
                         [](const auto& parameters) {
                           return test_name(std::get<0>(parameters.param) + "_" +
                                            std::get<1>(parameters.param));
                         });

}  // namespace
}  // namespace vecframe::golden
