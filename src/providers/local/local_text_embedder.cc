#include "providers/local/local_text_embedder.h"

#include <atomic>
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
  using TextReplica = Replica<models::TextModel>;

  LocalTextEmbedder(const models::TextModelDescription& description, const Backends& backends,
                    tensor::Precision precision)
      : dimension_(description.dimension), max_tokens_(description.max_tokens) {
    for (const auto& backend : backends) {
      const std::int64_t wanted = backend->info().efficient_batch;
      replicas_.push_back(std::make_unique<TextReplica>(
          backend, description.load(*backend, precision),
          wanted == 0 ? description.efficient_batch : wanted,
          [backend = backend.get()] { return backend->make_stream(); }));
    }
  }

  std::unique_ptr<embed::TextEmbedLane> make_lane() override;

  std::int64_t lane_bytes(std::int64_t batch) const override {
    const std::int64_t ids = max_tokens_ * std::int64_t{sizeof(models::TokenId)};
    const std::int64_t vector = dimension_ * std::int64_t{sizeof(float)};
    const TextReplica& replica = *replicas_.front();
    const std::int64_t stream =
        replica.backend->info().host_memory
            ? replica.model->activation_bytes(replica.step.load()) + kStreamScratchBytes
            : 0;
    return stream + batch * (ids + vector);
  }

  /// Of the next lane: each has its turn.
  TextReplica& next_replica() { return *replicas_[next_.fetch_add(1) % replicas_.size()]; }

  /// With room for the largest step from the beginning: one that grows step by step would end up
  /// with more.
  static std::unique_ptr<compute::Stream> make_stream(const TextReplica& replica) {
    std::unique_ptr<compute::Stream> stream = replica.backend->make_stream();
    stream->allocate(replica.model->activation_bytes(replica.step.load()) /
                     std::int64_t{sizeof(float)});
    stream->reset();
    return stream;
  }

  static Texts tokenize(const TextReplica& replica, std::span<const std::string_view> texts) {
    Texts tokens;
    tokens.reserve(texts.size());
    for (const std::string_view text : texts) tokens.push_back(replica.model->tokenize(text));
    return tokens;
  }

  void embed(const TextReplica& replica, compute::Stream& stream,
             std::span<const std::vector<models::TokenId>> tokens, float* out) const {
    // Short texts go together until they are as many tokens as `step` long ones.
    const std::int64_t step = replica.step.load();
    const auto most = static_cast<std::size_t>(step * max_tokens_);
    const auto most_texts = static_cast<std::size_t>(kTextsForOne * step);
    std::size_t first = 0;
    while (first < tokens.size()) {
      std::size_t end = first, count = 0;
      while (end < tokens.size() && end - first < most_texts &&
             (end == first || count + tokens[end].size() <= most))
        count += tokens[end++].size();
      const auto length = static_cast<std::size_t>(dimension_);
      replica.model->embed(stream, tokens.subspan(first, end - first),
                           {out + first * length, (end - first) * length});
      first = end;
    }
  }

  std::int64_t dimension() const { return dimension_; }

 private:
  std::vector<std::unique_ptr<TextReplica>> replicas_;
  std::atomic<std::size_t> next_{0};
  std::int64_t dimension_;
  std::int64_t max_tokens_;
};

class LocalTextLane final : public embed::TextEmbedLane {
 public:
  explicit LocalTextLane(std::shared_ptr<LocalTextEmbedder> embedder)
      : embedder_(std::move(embedder)), replica_(embedder_->next_replica()) {
    if (!replica_.shares_streams()) stream_ = LocalTextEmbedder::make_stream(replica_);
  }

  void embed(std::span<const std::string_view> texts, float* out) override {
    const Texts all = LocalTextEmbedder::tokenize(replica_, texts);
    const std::span<const std::vector<models::TokenId>> tokens(all);
    if (!replica_.shares_streams()) {
      stream_->share_cores(cores_);
      return embedder_->embed(replica_, *stream_, tokens, out);
    }
    embed_on_device(replica_, static_cast<std::int64_t>(tokens.size()),
                    [&](compute::Stream& stream, std::int64_t first, std::int64_t count) {
                      embedder_->embed(replica_, stream,
                                       tokens.subspan(static_cast<std::size_t>(first),
                                                      static_cast<std::size_t>(count)),
                                       out + first * embedder_->dimension());
                    });
  }
  void share_cores(std::shared_ptr<const CoreShare> cores) override { cores_ = std::move(cores); }

 private:
  std::shared_ptr<LocalTextEmbedder> embedder_;
  LocalTextEmbedder::TextReplica& replica_;
  std::unique_ptr<compute::Stream> stream_;  // its own, where lanes share none
  std::shared_ptr<const CoreShare> cores_;   // null: one
};

std::unique_ptr<embed::TextEmbedLane> LocalTextEmbedder::make_lane() {
  return std::make_unique<LocalTextLane>(shared_from_this());
}

}  // namespace

std::shared_ptr<embed::TextEmbedder> make_local_text_embedder(
    const models::TextModelDescription& description, const Backends& backends,
    tensor::Precision precision) {
  return std::make_shared<LocalTextEmbedder>(description, backends, precision);
}

}  // namespace vecframe::providers
