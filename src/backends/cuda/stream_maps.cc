// Calls on feature maps that are no convolutions. Maps are float32 at every precision.
#include "backends/cuda/cuda_stream.h"
#include "backends/cuda/enqueue.h"

namespace vecframe::backends::cuda {
namespace {

using compute::FeatureMap;
using compute::Matrix;

Matrix positions(FeatureMap map) {
  return {map.data, map.batch * map.height * map.width, map.channels, map.channels};
}

std::int64_t blocks_for(std::int64_t values) { return (values + kMapThreads - 1) / kMapThreads; }

}  // namespace

void CudaStream::load_pixels(const compute::PixelBatch& pixels, FeatureMap out) {
  if (out.size() == 0) return;
  const LoadPixels kernel{stage_pixels(pixels), out.size(), out.data};
  Key key;
  key.add('i').add(kernel.pixels.bytes).add(kernel.pixels.table).add(kernel.pixels.values);
  record(std::move(key), {}, Operand{positions(out)},
         [kernel](const Bound& bound) { enqueue(bound.queue, kernel, blocks_for(kernel.size)); });
}

void CudaStream::max_pool(FeatureMap x, std::int64_t kernel, std::int64_t stride,
                          std::int64_t padding, FeatureMap y) {
  if (y.size() == 0) return;
  const MaxPool pool{{x.height, x.width, x.channels, y.height, y.width, kernel, stride, padding},
                     y.size(),
                     x.data,
                     y.data};
  Key key;
  key.add('x').add(x.height).add(x.width).add(y.height).add(y.width);
  key.add(kernel).add(stride).add(padding);
  record(std::move(key), {{positions(x)}}, Operand{positions(y)},
         [pool](const Bound& bound) { enqueue(bound.queue, pool, blocks_for(pool.size)); });
}

void CudaStream::normalize_response(const compute::Vector& weight, const compute::Vector& bias,
                                    float epsilon, FeatureMap x) {
  if (x.size() == 0) return;
  ScaleByNorms scale{};
  scale.x = x.data;
  scale.positions = x.height * x.width;
  scale.channels = x.channels;
  scale.weight = static_cast<const CudaVector&>(weight).data();
  scale.bias = static_cast<const CudaVector&>(bias).data();
  scale.epsilon = epsilon;
  const std::int64_t batch = x.batch;
  Key key;
  key.add('s').add(scale.weight).add(scale.bias).add(epsilon).add(batch);
  record(
      std::move(key), {{positions(x)}}, Operand{positions(x)},
      [scale, batch](const Bound& bound) mutable {
        auto* norms = static_cast<float*>(bound.scratch);
        scale.norms = norms;
        enqueue(bound.queue, ChannelNorms{scale.x, scale.positions, scale.channels, norms},
                batch * ChannelNorms::chunks(scale.channels));
        enqueue(bound.queue, scale, batch * scale.positions);
      },
      static_cast<std::size_t>(batch * x.channels) * sizeof(float));
}

void CudaStream::average_pool(FeatureMap x, Matrix y) { mean_rows(positions(x), x.batch, 0, y); }

}  // namespace vecframe::backends::cuda
