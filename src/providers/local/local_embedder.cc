#include "providers/local/local_embedder.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <utility>
#include <vector>

namespace vecframe::providers {
namespace {

// What a stream holds besides what the model allocates from it: blocks of products and attention,
// the most with layers of 4096 inputs, of which 192 rows and their sums are kept (4 MB).
constexpr std::int64_t kStreamScratchBytes = 6 << 20;

class LocalEmbedder final : public embed::ImageEmbedder,
                            public std::enable_shared_from_this<LocalEmbedder> {
 public:
  using ImageReplica = Replica<models::ImageModel>;

  LocalEmbedder(const models::ImageModelDescription& description, const Backends& backends,
                tensor::Precision precision)
      : dimension_(description.dimension),
        prepare_(description.prepare),
        slot_bytes_(description.prepare.slot_bytes()),
        table_(image::normalization_table(description.prepare)) {
    assert(description.efficient_batch == 1 || !prepare_.has_variable_size());
    for (const auto& backend : backends) {
      const std::int64_t wanted = backend->info().efficient_batch;
      // Pictures that go together are of one size.
      const std::int64_t step =
          wanted == 0 || prepare_.has_variable_size() ? description.efficient_batch : wanted;
      replicas_.push_back(std::make_unique<ImageReplica>(
          backend, description.load(*backend, precision), step,
          [backend = backend.get()] { return backend->make_stream(); }));
    }
  }

  std::unique_ptr<embed::EmbedLane> make_lane() override;

  std::int64_t efficient_batch() const override {
    const compute::BackendInfo& info = first().backend->info();
    return info.efficient_batch > 0 ? info.efficient_batch
                                    : embed::ImageEmbedder::efficient_batch();
  }

  bool uses_cores() const override { return first().backend->info().host_memory; }

  std::int64_t lane_bytes(std::int64_t batch) const override {
    const std::int64_t in_and_out =
        static_cast<std::int64_t>(slot_bytes_) + dimension_ * std::int64_t{sizeof(float)};
    const models::ImageModel& model = *first().model;
    if (!first().backend->info().host_memory)
      return model.transient_values() * std::int64_t{sizeof(float)} + batch * in_and_out;
    const std::int64_t values =
        model.activation_values(std::min(batch, first().step.load())) + model.transient_values();
    return values * std::int64_t{sizeof(float)} + kStreamScratchBytes + batch * in_and_out;
  }

  /// Of the next lane: each has its turn.
  ImageReplica& next_replica() { return *replicas_[next_.fetch_add(1) % replicas_.size()]; }

  /// All pictures, in even steps.
  void embed(ImageReplica& replica, compute::Stream& stream, const std::uint8_t* pixels,
             std::int64_t count, float* out) const {
    std::int64_t first = 0;
    while (first < count) {
      const std::int64_t batch = next_step(count - first, replica.step.load());
      embed_step(replica, stream, pixels, first, batch, out);
      first += batch;
    }
  }

  void embed_step(ImageReplica& replica, compute::Stream& stream, const std::uint8_t* pixels,
                  std::int64_t first, std::int64_t batch, float* out) const {
    // Pictures that go together are of one size, and lie back to back.
    const image::SlotPicture picture = image::slot_picture(
        prepare_, {pixels + static_cast<std::size_t>(first) * slot_bytes_, slot_bytes_});
    const std::uint8_t* bytes = picture.bytes.data();
    compute::PixelBatch input{bytes, batch, picture.size.height, picture.size.width, &table_};
    if (prepare_.has_float_slots()) input.values = reinterpret_cast<const float*>(bytes);
    replica.model->embed(stream, input,
                         {out + first * dimension_, static_cast<std::size_t>(batch * dimension_)});
  }

 private:
  const ImageReplica& first() const { return *replicas_.front(); }

  std::vector<std::unique_ptr<ImageReplica>> replicas_;
  std::atomic<std::size_t> next_{0};
  std::int64_t dimension_;
  image::PrepareSpec prepare_;
  std::size_t slot_bytes_;
  image::NormalizationTable table_;
};

class LocalLane final : public embed::EmbedLane {
 public:
  explicit LocalLane(std::shared_ptr<LocalEmbedder> embedder)
      : embedder_(std::move(embedder)), replica_(embedder_->next_replica()) {}

  void embed(const std::uint8_t* pixels, std::int64_t count, float* out) override {
    if (replica_.shares_streams()) {
      embed_on_device(replica_, count,
                      [&](compute::Stream& stream, std::int64_t first, std::int64_t batch) {
                        embedder_->embed_step(replica_, stream, pixels, first, batch, out);
                      });
      return;
    }
    if (count > largest_) {
      // A new stream, because an old one would keep its smaller block beside the larger one.
      stream_.reset();
      stream_ = replica_.backend->make_stream();
      largest_ = count;
    }
    stream_->share_cores(cores_);
    embedder_->embed(replica_, *stream_, pixels, count, out);
  }
  void share_cores(std::shared_ptr<const CoreShare> cores) override { cores_ = std::move(cores); }

 private:
  std::shared_ptr<LocalEmbedder> embedder_;
  LocalEmbedder::ImageReplica& replica_;
  std::unique_ptr<compute::Stream> stream_;  // its own, where lanes share none
  std::shared_ptr<const CoreShare> cores_;   // null: one
  std::int64_t largest_ = 0;                 // pictures of the largest batch so far
};

std::unique_ptr<embed::EmbedLane> LocalEmbedder::make_lane() {
  return std::make_unique<LocalLane>(shared_from_this());
}

}  // namespace

std::shared_ptr<embed::ImageEmbedder> make_local_embedder(
    const models::ImageModelDescription& description, const Backends& backends,
    tensor::Precision precision) {
  return std::make_shared<LocalEmbedder>(description, backends, precision);
}

}  // namespace vecframe::providers
