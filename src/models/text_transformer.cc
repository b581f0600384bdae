#include "models/text_transformer.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "models/encoder_blocks.h"
#include "models/weight_packer.h"

namespace vecframe::models {
namespace {

using compute::Activation;
using compute::Matrix;

class TextTransformer final : public TextModel {
 public:
  TextTransformer(std::shared_ptr<const Checkpoint> checkpoint, const TextSpec& spec,
                  const TextTensors& tensors, std::shared_ptr<const TextTokenizer> tokenizer,
                  const WeightPacker& packer)
      : checkpoint_(std::move(checkpoint)),
        spec_(spec),
        dimension_(tensors.dimension()),
        tokenizer_(std::move(tokenizer)),
        tokens_(*tensors.tokens),
        positions_(packer.read(tensors.positions)),
        blocks_(spec, tensors.blocks, packer),
        final_norm_(packer.norm(tensors.final_norm)),
        projection_(packer.linear(tensors.projection)) {}

  std::vector<TokenId> tokenize(std::string_view text) const override {
    if (!spec_.causal) return tokenizer_->tokenize_padded(text, spec_.max_tokens);
    std::vector<TokenId> ids = tokenizer_->tokenize(text, spec_.max_tokens);
    ids.resize(pooled_position(ids) + 1);  // no row up to this one sees what follows
    return ids;
  }

  std::int64_t activation_bytes(std::int64_t texts) const override {
    const std::int64_t rows = texts * spec_.max_tokens;
    const std::int64_t values = rows * (2 * spec_.width + blocks_.scratch_columns()) +
                                texts * (2 * spec_.width + dimension_) + kRanges * kPadding +
                                spec_.max_tokens * spec_.width;  // one text beside the stream
    return values * std::int64_t{sizeof(float)} + texts * 2 * std::int64_t{sizeof(std::int64_t)};
  }

  void embed(compute::Stream& stream, std::span<const std::vector<TokenId>> texts,
             std::span<float> out) const override {
    if (texts.empty()) return;
    stream.reset();
    std::vector<std::int64_t> lengths, last_rows;
    std::int64_t rows = 0;
    for (const std::vector<TokenId>& text : texts) {
      lengths.push_back(checked_length(text));
      rows += lengths.back();
      last_rows.push_back(rows - 1);
    }
    const auto batch = static_cast<std::int64_t>(texts.size()), width = spec_.width;
    const auto matrix = [&](std::int64_t r, std::int64_t c) {
      return Matrix{stream.allocate(r * c), r, c, c};
    };
    const Matrix x = matrix(rows, width);                  // residual stream, rows of all texts
    const Matrix h = blocks_.branch(matrix(rows, width));  // inputs of a product
    float* scratch = stream.allocate(rows * blocks_.scratch_columns());
    const Matrix pooled = matrix(batch, width), pooled_h = matrix(batch, width);
    const Matrix pooled_branch = blocks_.branch(pooled_h);

    embed_tokens(stream, texts, x);
    for (const EncoderBlock& block : blocks_.blocks()) {
      const Matrix qkv = blocks_.project_qkv(stream, block, x, h, scratch);
      if (spec_.causal) {
        stream.causal_attention(qkv, lengths, spec_.heads, blocks_.attention_scale(),
                                blocks_.precision(), h);
      } else {
        stream.attention(qkv, batch, spec_.heads, blocks_.attention_scale(), blocks_.precision(),
                         h);
      }
      // After the last attention only the pooled rows are read.
      if (&block != &blocks_.blocks().back()) {
        blocks_.finish(stream, block, x, h, scratch);
      } else {
        stream.take_rows(x, last_rows, pooled);
        stream.take_rows(h, last_rows, pooled_branch);
        blocks_.finish(stream, block, pooled, pooled_branch, scratch);
      }
    }
    blocks_.normalize(stream, final_norm_, pooled, pooled_h);
    Matrix embedding = pooled_h;
    if (projection_) {
      embedding = matrix(batch, dimension_);
      stream.linear(*projection_, pooled_h, Activation::kNone, {}, embedding);
    }
    stream.download(embedding, out);
    stream.reset();
  }

 private:
  // Ranges that embed() allocates, and the values that rounding each to a cache line may add.
  static constexpr std::int64_t kRanges = 6;
  static constexpr std::int64_t kPadding = tensor::kAlignment / sizeof(float);

  std::size_t pooled_position(const std::vector<TokenId>& ids) const {
    if (spec_.pooling == TextPooling::kLast) return ids.size() - 1;
    const auto found = spec_.pooling == TextPooling::kFirstOfId
                           ? std::find(ids.begin(), ids.end(), spec_.end_id)
                           : std::max_element(ids.begin(), ids.end());
    return static_cast<std::size_t>(found - ids.begin());
  }

  std::int64_t checked_length(const std::vector<TokenId>& text) const {
    const auto length = static_cast<std::int64_t>(text.size());
    if (length < 1 || length > spec_.max_tokens || (!spec_.causal && length != spec_.max_tokens))
      throw std::invalid_argument("a text that tokenize() did not make");
    return length;
  }

  // Rows of the token table plus rows of the position table, text by text.
  void embed_tokens(compute::Stream& stream, std::span<const std::vector<TokenId>> texts,
                    Matrix x) const {
    const auto width = static_cast<std::size_t>(spec_.width);
    std::vector<float> values;
    std::int64_t first = 0;
    for (const std::vector<TokenId>& text : texts) {
      values.resize(text.size() * width);
      for (std::size_t i = 0; i < text.size(); ++i) {
        const std::span<float> row{values.data() + i * width, width};
        checkpoint_->read_row(tokens_, text[i], row);
        for (std::size_t c = 0; c < width; ++c) row[c] += positions_[i * width + c];
      }
      const auto rows = static_cast<std::int64_t>(text.size());
      stream.upload(values, {x.data + first * x.stride, rows, x.columns, x.stride});
      first += rows;
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  TextSpec spec_;
  std::int64_t dimension_;
  std::shared_ptr<const TextTokenizer> tokenizer_;
  const TensorInfo& tokens_;  // of the checkpoint
  tensor::AlignedBuffer<float> positions_;
  EncoderBlocks blocks_;
  Norm final_norm_;
  std::unique_ptr<compute::Linear> projection_;  // null: none
};

}  // namespace

double text_flops(const TextSpec& spec, const TextTensors& tensors) {
  double products = spec.products(spec.max_tokens);
  if (tensors.projection.weight != nullptr)
    products += static_cast<double>(tensors.projection.weight->count());
  return 2 * products;
}

std::unique_ptr<TextModel> load_text_transformer(std::shared_ptr<const Checkpoint> checkpoint,
                                                 const TextSpec& spec, const TextTensors& tensors,
                                                 std::shared_ptr<const TextTokenizer> tokenizer,
                                                 compute::Backend& backend,
                                                 tensor::Precision precision) {
  const WeightPacker packer(*checkpoint, backend, precision);
  return std::make_unique<TextTransformer>(std::move(checkpoint), spec, tensors,
                                           std::move(tokenizer), packer);
}

}  // namespace vecframe::models
