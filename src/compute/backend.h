// The backend interface: the dozen fused calls of which every model is made.
//
// A Backend owns a device and packs weights for it; a Stream is one sequence of calls on it (a
// core, a CUDA stream) with its own workspace. Model code runs on this interface and names no
// device; a backend knows nothing of model families. The meaning of every call is what
// backends/reference does in plain loops; tests/contract holds the others to it.
//
// A call may return before its work is done. Weights and vectors given to it stay alive, and the
// memory of its matrices is used through the stream only, until download() returns or reset() is
// called; errors of the work come out of download() too.
//
// Rows are independent: the value of an output row never depends on how many rows a call has, nor
// on its neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/core_share.h"
#include "compute/types.h"
#include "tensor/dtype.h"

namespace vecframe::compute {

/// Version of everything in backend.h and types.h; a shared object made for another one is refused.
inline constexpr int kBackendAbi = 3;

/// Packed weights in device memory. Opaque: only the backend that made one may use it, from any of
/// its streams.
class Packed {
 public:
  virtual ~Packed() = default;
  virtual std::size_t bytes() const = 0;
};

class Vector : public Packed {};  // float32 values, unpacked
class Linear : public Packed {};
class PatchEmbedding : public Packed {};
class Convolution : public Packed {};

class Stream {
 public:
  virtual ~Stream() = default;

  /// `count` float32 values of scratch, aligned to 64 bytes, contents undefined. Valid until
  /// reset(). Memory is kept between resets, so a stream that repeats a batch size allocates
  /// nothing.
  virtual float* allocate(std::int64_t count) = 0;
  /// Takes back everything allocated.
  virtual void reset() = 0;
  /// From the next call on, calls may use as many threads as the share has cores each, the caller's
  /// included, and more once it grows. Results stay the same to the bit. A device that is parallel
  /// by itself takes no notice.
  virtual void share_cores(std::shared_ptr<const CoreShare> /*cores*/) {}

  /// Cuts each picture into patches (row-major, trailing pixels dropped), applies the table,
  /// multiplies and adds the bias. Patch n of image b goes to row b * rows_per_image + first_row +
  /// n of `out`.
  virtual void embed_patches(const PatchEmbedding& embedding, const PixelBatch& pixels,
                             std::int64_t rows_per_image, std::int64_t first_row, Matrix out) = 0;
  /// Row b * tokens.rows_per_image + first_row + i = rows[i], for every image b: class and register
  /// tokens.
  virtual void broadcast_rows(const Vector& rows, std::int64_t batch, std::int64_t rows_per_image,
                              std::int64_t first_row, Matrix out) = 0;
  /// x[b * n + i] += rows[i], where rows holds n = x.rows / batch rows: position embeddings.
  virtual void add_rows(const Vector& rows, std::int64_t batch, Matrix x) = 0;
  /// x += from. The two do not overlap.
  virtual void add(Matrix from, Matrix x) = 0;
  /// y = act(x W^T + b), then + residual if its data is not null. `residual` may be y itself. x and
  /// y do not overlap.
  virtual void linear(const Linear& linear, Matrix x, Activation activation, Matrix residual,
                      Matrix y) = 0;
  /// Norm of each row; biased variance. `bias` may be null (and is for RMS norm). y may be x.
  virtual void normalize(NormKind kind, const Vector& weight, const Vector* bias, float epsilon,
                         Matrix x, Matrix y) = 0;
  /// Rotary positions: in every image, row first_row + i of x turns the pair (c, c + d / 2) of each
  /// of `heads` runs of d = x.columns / heads columns by an angle: (a, b) becomes (a cos - b sin, b
  /// cos + a sin). Row i of `turns` is d / 2 cosines, then d / 2 sines.
  virtual void rotate_pairs(const Vector& turns, std::int64_t batch, std::int64_t heads,
                            std::int64_t first_row, Matrix x) = 0;
  /// softmax(q k^T * scale) v for each image and head, scale > 0. qkv is [batch * tokens, 3 * heads
  /// * head_dim], thirds q, k, v; out is [batch * tokens, heads * head_dim]. Below fp32, q, k, v
  /// and exp(score - largest) of a row are rounded to bf16 before they are multiplied, while sums,
  /// scores and the divisor stay float32; a device may keep more bits.
  virtual void attention(Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                         tensor::Precision precision, Matrix out) = 0;
  /// As attention(), of texts of unequal length: text b has lengths[b] consecutive rows, and each
  /// row sees itself and the rows of its text before it. The lengths sum up to qkv.rows.
  virtual void causal_attention(Matrix qkv, std::span<const std::int64_t> lengths,
                                std::int64_t heads, float scale, tensor::Precision precision,
                                Matrix out) = 0;
  /// As attention(), with a bias of relative positions added to the scaled scores. The tokens are a
  /// class token and the patches of a grid, row by row. For each head `table` holds (2 rows - 1) *
  /// (2 columns - 1) + 3 values: that of a query's patch p and a key's patch q stands at (y_q - y_p
  /// + rows - 1) * (2 columns - 1) + x_q - x_p + columns - 1; the last three are those of class
  /// token to patch, of patch to class token, and of class token to itself.
  virtual void relative_attention(const Vector& table, std::int64_t grid_columns, Matrix qkv,
                                  std::int64_t batch, std::int64_t heads, float scale,
                                  tensor::Precision precision, Matrix out) = 0;
  /// softmax(q k^T * scale) v for each image and head, where `query` holds one q of heads *
  /// head_dim values for all images: attention pooling. kv is [batch * tokens, 2 * heads *
  /// head_dim], halves k, v; out is [batch, heads * head_dim].
  virtual void pool_attention(const Vector& query, Matrix kv, std::int64_t batch,
                              std::int64_t heads, float scale, Matrix out) = 0;
  /// y[i] = act(x[i]) * x[n + i] in each row of x, which has 2 n columns: the hidden layer of a
  /// gated MLP. y may be the first n columns of x.
  virtual void gate(Activation activation, Matrix x, Matrix y) = 0;
  /// y[i] = x[first + i * step]: pooling by class token.
  virtual void gather_rows(Matrix x, std::int64_t first, std::int64_t step, Matrix y) = 0;
  /// y[i] = x[rows[i]]: pooling of texts by the place of a token.
  virtual void take_rows(Matrix x, std::span<const std::int64_t> rows, Matrix y) = 0;
  /// y[b] = mean of rows [first, n) of image b, where n = x.rows / batch.
  virtual void mean_rows(Matrix x, std::int64_t batch, std::int64_t first, Matrix y) = 0;
  /// y = act(conv(x) + b), then + residual if its data is not null (same shape as y, and may be y
  /// itself); or, if the weights say so, the residual before the activation. x and y do not
  /// overlap. A depthwise convolution is float32 at every precision.
  virtual void convolve(const Convolution& convolution, FeatureMap x, FeatureMap residual,
                        FeatureMap y) = 0;
  /// Pixel values (table applied) as a feature map [batch, height, width, 3]: the input of a
  /// convolutional network.
  virtual void load_pixels(const PixelBatch& pixels, FeatureMap out) = 0;
  /// y = the largest value of each window, of a channel each. What lies outside the map, up to
  /// `padding` <= kernel / 2 on every side, is smaller than all values.
  virtual void max_pool(FeatureMap x, std::int64_t kernel, std::int64_t stride,
                        std::int64_t padding, FeatureMap y) = 0;
  /// Global response normalisation, in place. Of every picture, g[c] is the L2 norm of channel c
  /// over height and width, and x[c] becomes x[c] * (1 + weight[c] * g[c] / (mean(g) + epsilon)) +
  /// bias[c].
  virtual void normalize_response(const Vector& weight, const Vector& bias, float epsilon,
                                  FeatureMap x) = 0;
  /// y[b] = mean over height and width.
  virtual void average_pool(FeatureMap x, Matrix y) = 0;
  /// Host to device, rows without stride in `values`, which may change after the call.
  virtual void upload(std::span<const float> values, Matrix x) = 0;
  /// Device to host, rows without stride; returns when the values are there.
  virtual void download(Matrix x, std::span<float> out) = 0;
};

struct BackendInfo {
  std::string name;     ///< "reference", "cpu", "cuda"
  std::string details;  ///< what dispatch chose, for reports: "avx512-bf16"
  /// Whether weights and what streams allocate lie in the memory of the process.
  bool host_memory = true;
  /// Pictures or texts together that make it efficient; 0: as few as the model says.
  std::int64_t efficient_batch = 0;
  /// Streams that keep the device busy; 0: one for every thread.
  int streams = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const BackendInfo& info() const = 0;
  /// Whether the hardware at hand runs this precision at more than fp32's speed. int8 and fp16 are
  /// not asked for where it does not.
  virtual bool supports(tensor::Precision precision) const = 0;
  /// Bytes of one packed weight of a matrix product.
  virtual std::int64_t weight_bytes(tensor::Precision precision) const {
    switch (precision) {
      case tensor::Precision::kFp32:
        return 4;
      case tensor::Precision::kBf16:
      case tensor::Precision::kFp16:
        return 2;
      case tensor::Precision::kInt8:
        return 1;
    }
    return 4;
  }

  virtual std::unique_ptr<Vector> upload(std::span<const float> values) = 0;
  virtual std::unique_ptr<Linear> pack(const LinearWeights& weights,
                                       tensor::Precision precision) = 0;
  virtual std::unique_ptr<PatchEmbedding> pack(const PatchWeights& weights,
                                               tensor::Precision precision) = 0;
  virtual std::unique_ptr<Convolution> pack(const ConvolutionWeights& weights,
                                            tensor::Precision precision) = 0;
  virtual std::unique_ptr<Stream> make_stream() = 0;
};

}  // namespace vecframe::compute
