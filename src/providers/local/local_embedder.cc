#include "providers/local/local_embedder.h"

#include <algorithm>
#include <utility>

namespace vecframe::providers {
namespace {

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
        table_(image::normalization_table(description.prepare)) {}

  std::unique_ptr<embed::EmbedLane> make_lane() override;

  std::int64_t lane_bytes(std::int64_t batch) const override {
    const std::int64_t in_and_out =
        static_cast<std::int64_t>(slot_bytes_) + dimension_ * std::int64_t{sizeof(float)};
    return model_->activation_values(std::min(batch, step_)) * std::int64_t{sizeof(float)} +
           batch * in_and_out;
  }

  void embed(compute::Stream& stream, const std::uint8_t* pixels, std::int64_t count,
             float* out) const {
    // In steps: no row depends on the others, and taller products than these gain nothing.
    for (std::int64_t first = 0; first < count; first += step_) {
      const std::int64_t batch = std::min(step_, count - first);
      const compute::PixelBatch input{pixels + static_cast<std::size_t>(first) * slot_bytes_, batch,
                                      slot_.height, slot_.width, &table_};
      model_->embed(stream, input,
                    {out + first * dimension_, static_cast<std::size_t>(batch * dimension_)});
    }
  }

 private:
  std::shared_ptr<compute::Backend> backend_;
  std::unique_ptr<models::ImageModel> model_;
  std::int64_t dimension_;
  std::int64_t step_;  // pictures that go through the model together
  image::Size slot_;
  std::size_t slot_bytes_;
  image::NormalizationTable table_;
};

class LocalLane final : public embed::EmbedLane {
 public:
  LocalLane(std::shared_ptr<const LocalEmbedder> embedder, std::unique_ptr<compute::Stream> stream)
      : embedder_(std::move(embedder)), stream_(std::move(stream)) {}

  void embed(const std::uint8_t* pixels, std::int64_t count, float* out) override {
    embedder_->embed(*stream_, pixels, count, out);
  }

 private:
  std::shared_ptr<const LocalEmbedder> embedder_;
  std::unique_ptr<compute::Stream> stream_;
};

std::unique_ptr<embed::EmbedLane> LocalEmbedder::make_lane() {
  return std::make_unique<LocalLane>(shared_from_this(), backend_->make_stream());
}

}  // namespace

std::shared_ptr<embed::ImageEmbedder> make_local_embedder(
    const models::ImageModelDescription& description, std::shared_ptr<compute::Backend> backend,
    tensor::Precision precision) {
  return std::make_shared<LocalEmbedder>(description, std::move(backend), precision);
}

}  // namespace vecframe::providers
