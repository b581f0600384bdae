#include "providers/local/local_embedder.h"

#include <algorithm>
#include <cassert>
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
        prepare_(description.prepare),
        slot_bytes_(description.prepare.slot_bytes()),
        table_(image::normalization_table(description.prepare)) {
    assert(step_ == 1 || !prepare_.has_variable_size());
  }

  std::unique_ptr<embed::EmbedLane> make_lane() override;

  std::int64_t lane_bytes(std::int64_t batch) const override {
    const std::int64_t in_and_out =
        static_cast<std::int64_t>(slot_bytes_) + dimension_ * std::int64_t{sizeof(float)};
    const std::int64_t values =
        model_->activation_values(std::min(batch, step_)) + model_->transient_values();
    return values * std::int64_t{sizeof(float)} + kStreamScratchBytes + batch * in_and_out;
  }

  std::unique_ptr<compute::Stream> make_stream() const { return backend_->make_stream(); }

  void embed(compute::Stream& stream, const std::uint8_t* pixels, std::int64_t count,
             float* out) const {
    // In even steps: no row depends on the others, and taller products than these gain nothing.
    const std::int64_t steps = (count + step_ - 1) / step_;
    for (std::int64_t i = 0; i < steps; ++i) {
      const std::int64_t first = count * i / steps;
      const std::int64_t batch = count * (i + 1) / steps - first;
      // Pictures that go together are of one size, and lie back to back.
      const image::SlotPicture picture = image::slot_picture(
          prepare_, {pixels + static_cast<std::size_t>(first) * slot_bytes_, slot_bytes_});
      const std::uint8_t* bytes = picture.bytes.data();
      compute::PixelBatch input{bytes, batch, picture.size.height, picture.size.width, &table_};
      if (prepare_.has_float_slots()) input.values = reinterpret_cast<const float*>(bytes);
      model_->embed(stream, input,
                    {out + first * dimension_, static_cast<std::size_t>(batch * dimension_)});
    }
  }

 private:
  std::shared_ptr<compute::Backend> backend_;
  std::unique_ptr<models::ImageModel> model_;
  std::int64_t dimension_;
  std::int64_t step_;  // most pictures that go through the model together
  image::PrepareSpec prepare_;
  std::size_t slot_bytes_;
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
    stream_->use_threads(threads_);
    embedder_->embed(*stream_, pixels, count, out);
  }
  void use_threads(int threads) override { threads_ = threads; }

 private:
  std::shared_ptr<const LocalEmbedder> embedder_;
  std::unique_ptr<compute::Stream> stream_;
  int threads_ = 1;
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
