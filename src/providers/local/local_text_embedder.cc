#include "providers/local/local_text_embedder.h"

#include <utility>
#include <vector>

namespace vecframe::providers {
namespace {

using Texts = std::vector<std::vector<models::TokenId>>;

// What a stream holds besides what the model counts; see local_embedder.cc.
constexpr std::int64_t kStreamScratchBytes = 6 << 20;

// As many short texts may go through the model in place of a longest one; what they take besides
// their tokens, a few rows each, stays within kStreamScratchBytes.
constexpr std::int64_t kTextsForOne = 4;

class LocalTextEmbedder final : public embed::TextEmbedder,
                                public std::enable_shared_from_this<LocalTextEmbedder> {
 public:
  LocalTextEmbedder(const models::TextModelDescription& description,
                    std::shared_ptr<compute::Backend> backend, tensor::Precision precision)
      : backend_(std::move(backend)),
        model_(description.load(*backend_, precision)),
        dimension_(description.dimension),
        max_tokens_(description.max_tokens),
        step_(description.efficient_batch) {}

  std::unique_ptr<embed::TextEmbedLane> make_lane() override;

  std::int64_t lane_bytes(std::int64_t batch) const override {
    const std::int64_t ids = max_tokens_ * std::int64_t{sizeof(models::TokenId)};
    const std::int64_t vector = dimension_ * std::int64_t{sizeof(float)};
    return model_->activation_bytes(step_) + kStreamScratchBytes + batch * (ids + vector);
  }

  /// With room for the largest step from the beginning: one that grows step by step would end up
  /// with more.
  std::unique_ptr<compute::Stream> make_stream() const {
    std::unique_ptr<compute::Stream> stream = backend_->make_stream();
    stream->allocate(model_->activation_bytes(step_) / std::int64_t{sizeof(float)});
    stream->reset();
    return stream;
  }

  void embed(compute::Stream& stream, std::span<const std::string_view> texts, float* out) const {
    Texts tokens;
    tokens.reserve(texts.size());
    for (const std::string_view text : texts) tokens.push_back(model_->tokenize(text));
    // Short texts go together until they are as many tokens as `step_` long ones.
    const auto most = static_cast<std::size_t>(step_ * max_tokens_);
    const auto most_texts = static_cast<std::size_t>(kTextsForOne * step_);
    std::size_t first = 0;
    while (first < tokens.size()) {
      std::size_t end = first, count = 0;
      while (end < tokens.size() && end - first < most_texts &&
             (end == first || count + tokens[end].size() <= most))
        count += tokens[end++].size();
      const auto length = static_cast<std::size_t>(dimension_);
      model_->embed(stream, std::span(tokens).subspan(first, end - first),
                    {out + first * length, (end - first) * length});
      first = end;
    }
  }

 private:
  std::shared_ptr<compute::Backend> backend_;
  std::unique_ptr<models::TextModel> model_;
  std::int64_t dimension_;
  std::int64_t max_tokens_;
  std::int64_t step_;  // longest texts that go through the model together
};

class LocalTextLane final : public embed::TextEmbedLane {
 public:
  explicit LocalTextLane(std::shared_ptr<const LocalTextEmbedder> embedder)
      : embedder_(std::move(embedder)), stream_(embedder_->make_stream()) {}

  void embed(std::span<const std::string_view> texts, float* out) override {
    embedder_->embed(*stream_, texts, out);
  }

 private:
  std::shared_ptr<const LocalTextEmbedder> embedder_;
  std::unique_ptr<compute::Stream> stream_;
};

std::unique_ptr<embed::TextEmbedLane> LocalTextEmbedder::make_lane() {
  return std::make_unique<LocalTextLane>(shared_from_this());
}

}  // namespace

std::shared_ptr<embed::TextEmbedder> make_local_text_embedder(
    const models::TextModelDescription& description, std::shared_ptr<compute::Backend> backend,
    tensor::Precision precision) {
  return std::make_shared<LocalTextEmbedder>(description, std::move(backend), precision);
}

}  // namespace vecframe::providers
