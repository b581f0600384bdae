#include "providers/local/local_embedder.h"

#include <algorithm>
#include <utility>

namespace vecframe::providers {
namespace {

// What a stream holds besides what the model allocates from it: blocks of products and attention,
// the most with layers of 4096 inputs, of which 192 rows and their sums are kept (4 MB).
constexpr std::int64_t kStreamScratchBytes = 6 << 20;

class LocalEmbedder final : public embed::ImageEmbedder,
                            public std::enable_shared_from_this<LocalEmbedder> {
 public:
  LocalEmbedder(const models::ImageModelDescription& description,
                std::shared_ptr<compute::Backend> backend, tensor::Precision precision)
      : backend_(std::move(backend)),
        model_(description.load(*backend_, precision)),
        dimension_(description.dimension),
        step_(description.efficient_batch),
        slot_(description.prepare.slot_size()),
        slot_bytes_(description.prepare.slot_bytes()),
        float_slots_(description.prepare.has_float_slots()),
        table_(image::normalization_table(description.prepare)) {}

  std::unique_ptr<embed::EmbedLane> make_lane() override;

  std::int64_t lane_bytes(std::int64_t batch) const override {
    const std::int64_t in_and_out =
        static_cast<std::int64_t>(slot_bytes_) + dimension_ * std::int64_t{sizeof(float)};
    return model_->activation_values(std::min(batch, step_)) * std::int64_t{sizeof(float)} +
           kStreamScratchBytes + batch * in_and_out;
  }

  std::unique_ptr<compute::Stream> make_stream() const { return backend_->make_stream(); }

  void embed(compute::Stream& stream, const std::uint8_t* pixels, std::int64_t count,
             float* out) const {
    // In even steps: no row depends on the others, and taller products than these gain nothing.
    const std::int64_t steps = (count + step_ - 1) / step_;
    for (std::int64_t i = 0; i < steps; ++i) {
      const std::int64_t first = count * i / steps;
      const std::int64_t batch = count * (i + 1) / steps - first;
      const std::uint8_t* slots = pixels + static_cast<std::size_t>(first) * slot_bytes_;
      compute::PixelBatch input{slots, batch, slot_.height, slot_.width, &table_};
      if (float_slots_) input.values = reinterpret_cast<const float*>(slots);
      model_->embed(stream, input,
                    {out + first * dimension_, static_cast<std::size_t>(batch * dimension_)});
    }
  }

 private:
  std::shared_ptr<compute::Backend> backend_;
  std::unique_ptr<models::ImageModel> model_;
  std::int64_t dimension_;
  std::int64_t step_;  // most pictures that go through the model together
  image::Size slot_;
  std::size_t slot_bytes_;
  bool float_slots_;  // pixel values in place of bytes
  image::NormalizationTable table_;
};

class LocalLane final : public embed::EmbedLane {
 public:
  explicit LocalLane(std::shared_ptr<const LocalEmbedder> embedder)
      : embedder_(std::move(embedder)) {}

  void embed(const std::uint8_t* pixels, std::int64_t count, float* out) override {
    if (count > largest_) {
      // A new stream, because an old one would keep its smaller block beside the larger one.
      stream_.reset();
      stream_ = embedder_->make_stream();
      largest_ = count;
    }
    embedder_->embed(*stream_, pixels, count, out);
  }

 private:
  std::shared_ptr<const LocalEmbedder> embedder_;
  std::unique_ptr<compute::Stream> stream_;
  std::int64_t largest_ = 0;  // pictures of the largest batch so far
};

std::unique_ptr<embed::EmbedLane> LocalEmbedder::make_lane() {
  return std::make_unique<LocalLane>(shared_from_this());
}

}  // namespace

std::shared_ptr<embed::ImageEmbedder> make_local_embedder(
    const models::ImageModelDescription& description, std::shared_ptr<compute::Backend> backend,
    tensor::Precision precision) {
  return std::make_shared<LocalEmbedder>(description, std::move(backend), precision);
}

}  // namespace vecframe::providers
