// Linear layers, patches and convolutions.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

#include "backends/cuda/cuda_stream.h"
#include "backends/cuda/enqueue.h"
#include "backends/cuda/library_product.h"

namespace vecframe::backends::cuda {
namespace {

using compute::Activation;
using compute::FeatureMap;
using compute::Matrix;

bool starts_on_16_bytes(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
}

Matrix positions(FeatureMap map) {
  return {map.data, map.batch * map.height * map.width, map.channels, map.channels};
}

// Where the weights are, and their sizes: other weights may come to the same place later.
void add_weights(Key& key, const PackedMatrix& matrix) {
  key.add(matrix.weight.data()).add(matrix.bias.data()).add(matrix.short_bias.data());
  key.add(matrix.in).add(matrix.out).add(matrix.storage);
}

struct Step {  // of a product: what is asked for
  const PackedMatrix* matrix;
  std::int64_t rows;
  Activation activation;
  bool activates_sum;
};

ProductArgs args_of(const Step& step, Cells y, Cells residual) {
  ProductArgs args{};
  args.rows = step.rows;
  args.depth = step.matrix->in;
  args.out = step.matrix->out;
  args.weight = step.matrix->weight.data();
  args.weight_pitch = step.matrix->pitch;
  args.bias = step.matrix->bias.floats();
  args.activation = step.activation;
  args.activates_sum = step.activates_sum;
  args.y = y;
  args.residual = residual;
  args.to_row = {0, step.rows, step.rows};
  return args;
}

// Rows of x as the library wants them: of the weights' storage, each on 16 bytes if that is short.
Cells library_rows(const Step& step, Cells x, const Bound& bound) {
  const PackedMatrix& matrix = *step.matrix;
  if (matrix.storage == Storage::kFloat || x.storage == matrix.storage) return x;
  const Cells rounded{bound.scratch, matrix.pitch, matrix.storage};
  enqueue(bound.queue, ConvertRows{x, rounded, matrix.in, matrix.pitch}, step.rows);
  return rounded;
}

// The product by the library, and what its epilogue cannot do by a kernel behind it. False if the
// library cannot, or the residual would be overwritten before it is read.
bool multiply_by_library(Runtime& runtime, const Step& step, Cells x, Cells y, Cells residual,
                         const Bound& bound) {
  const bool plain = step.activation == Activation::kNone;
  const bool has_residual = residual.data != nullptr;
  // The sum is one of the library's: a residual that comes before the activation.
  const bool adds = has_residual && (plain || step.activates_sum);
  if (has_residual && !adds && residual.data == y.data) return false;
  if (adds && residual.storage != y.storage) return false;
  const PackedMatrix& matrix = *step.matrix;
  LibraryProduct product;
  product.rows = step.rows;
  product.out = matrix.out;
  const Cells left = library_rows(step, x, bound);
  // What was put into the scratch has zeros where the weights have them, and a depth that the
  // library's fast kernels take.
  product.depth = left.data == bound.scratch ? matrix.pitch : matrix.in;
  product.x = left.data;
  product.x_pitch = left.stride;
  product.weight = matrix.weight.data();
  product.weight_pitch = matrix.pitch;
  product.input = matrix.storage;
  product.output = y.storage;
  product.bias = y.storage == Storage::kFloat ? matrix.bias.data() : matrix.short_bias.data();
  if (adds) {
    product.residual = residual.data;
    product.residual_pitch = residual.stride;
  }
  product.y = y.data;
  product.y_pitch = y.stride;
  bool activated = plain;
  if ((!has_residual || adds) && step.activation == Activation::kRelu) {
    product.epilogue = Epilogue::kBiasRelu;
    activated = true;
  } else if (!has_residual && step.activation == Activation::kGeluTanh &&
             y.storage == Storage::kBf16) {
    product.epilogue = Epilogue::kBiasGelu;  // good to bf16, and cannot overflow
    activated = true;
  }
  if (!product.enqueue(runtime, bound.queue, bound.workspace)) return false;
  if (activated && (adds || !has_residual)) return true;
  Finish finish{};
  finish.y = y;
  if (has_residual && !adds) finish.residual = residual;
  finish.columns = matrix.out;
  finish.activation = step.activation;
  enqueue(bound.queue, finish, step.rows);
  return true;
}

Cells row_of(Cells cells, std::int64_t row) {
  if (cells.data != nullptr)
    cells.data = static_cast<std::byte*>(cells.data) + row * cells.stride * size_of(cells.storage);
  return cells;
}

// Of rows that a source makes: as many at a time as this much scratch takes.
constexpr std::int64_t kSourceBytes = std::int64_t{256} << 20;

// Bytes of scratch that a row takes: itself, and its product if that is moved to its place after.
std::int64_t source_row_bytes(const PackedMatrix& matrix, bool moves) {
  return matrix.pitch * size_of(matrix.storage) +
         (moves ? matrix.out * size_of(Storage::kFloat) : 0);
}

std::int64_t source_rows_at_once(const Step& step, bool moves) {
  return std::min(step.rows,
                  std::max<std::int64_t>(1, kSourceBytes / source_row_bytes(*step.matrix, moves)));
}

std::size_t source_scratch(const Step& step, bool moves) {
  // The products begin at a multiple of 16 bytes.
  return static_cast<std::size_t>(
      source_rows_at_once(step, moves) * source_row_bytes(*step.matrix, moves) + 16);
}

// A product whose left side is a source, by the library: its rows are written out, part by part.
// Row i goes to to_row(i) of y. False, with nothing done that matters, if the library cannot.
template <class Source>
bool multiply_source_by_library(Runtime& runtime, const Step& step, const Source& source, Cells y,
                                Cells residual, const RowMap* to_row, const Bound& bound) {
  const PackedMatrix& matrix = *step.matrix;
  const bool moves = to_row != nullptr;
  const std::int64_t at_once = source_rows_at_once(step, moves);
  const Cells rows{bound.scratch, matrix.pitch, matrix.storage};
  const std::int64_t row_bytes = at_once * matrix.pitch * size_of(matrix.storage);
  const Cells products{static_cast<std::byte*>(bound.scratch) + (row_bytes + 15) / 16 * 16,
                       matrix.out, Storage::kFloat};
  for (std::int64_t first = 0; first < step.rows; first += at_once) {
    Step part = step;
    part.rows = std::min(at_once, step.rows - first);
    enqueue(bound.queue,
            LoadRows<Source>{source, rows, first, static_cast<int>(matrix.in),
                             static_cast<int>(matrix.pitch)},
            part.rows);
    if (!multiply_by_library(runtime, part, rows, moves ? products : row_of(y, first),
                             row_of(residual, first), bound)) {
      if (first > 0) throw std::runtime_error("cuda: the library takes some rows and not others");
      return false;
    }
    if (!moves) continue;
    MoveRows move{};
    move.from = products;
    move.to = y;
    move.columns = matrix.out;
    move.from_period = part.rows;
    move.from_step = 1;
    move.to_row = *to_row;
    move.to_first = first;
    enqueue(bound.queue, move, part.rows);
  }
  return true;
}

}  // namespace

void CudaStream::multiply(const PackedMatrix& matrix, Matrix x, Activation activation,
                          bool activates_sum, Matrix residual, Matrix y) {
  if (x.rows == 0) return;
  const Step step{&matrix, x.rows, activation, activates_sum};
  const bool short_weights = matrix.storage != Storage::kFloat;
  const std::optional<Storage> kind = short_weights ? std::optional(matrix.storage) : std::nullopt;
  // Rows of 16 bits go into the product as they are, so they have to be aligned for it.
  const bool reads_halves = short_weights && x.columns % kDepthStep == 0 &&
                            x.stride % kDepthStep == 0 && starts_on_16_bytes(x.data);
  const bool has_residual = residual.data != nullptr;
  const bool writes_halves =
      short_weights && !has_residual && y.stride % kDepthStep == 0 && starts_on_16_bytes(y.data);
  std::vector<Operand> reads{{x, reads_halves, kind}};
  // The library writes infinities of float16, and takes them as such; a kernel behind it does not.
  const bool overflows = options_.use_library && matrix.storage == Storage::kF16;
  reads.back().takes_overflow = !overflows;
  Operand write{y, writes_halves, kind};
  write.may_overflow =
      overflows && (activation == Activation::kNone || activation == Activation::kRelu);
  if (has_residual) reads.push_back({residual});
  const std::size_t scratch =
      short_weights ? static_cast<std::size_t>(x.rows * matrix.pitch) * 2 : 0;
  const auto run = [this, step, has_residual](const Bound& bound) {
    const Cells left = bound.reads[0], residual_cells = has_residual ? bound.reads[1] : Cells{};
    if (options_.use_library &&
        multiply_by_library(*runtime_, step, left, bound.write, residual_cells, bound))
      return;
    enqueue_product(bound.queue, step.matrix->storage, args_of(step, bound.write, residual_cells),
                    MatrixSource{left});
  };
  Key key;
  key.add('l').add(activation).add(activates_sum);
  add_weights(key, matrix);
  record(std::move(key), std::move(reads), write, run, scratch);
}

void CudaStream::linear(const compute::Linear& linear, Matrix x, Activation activation,
                        Matrix residual, Matrix y) {
  multiply(static_cast<const CudaLinear&>(linear).matrix, x, activation, /*activates_sum=*/false,
           residual, y);
}

Pixels CudaStream::stage_pixels(const compute::PixelBatch& pixels) {
  const auto count = static_cast<std::size_t>(pixels.batch * pixels.height * pixels.width * 3);
  if (pixels.values != nullptr) {
    return {nullptr, nullptr,
            static_cast<const float*>(staging_.stage(pixels.values, count * sizeof(float)))};
  }
  const void* bytes = staging_.stage(pixels.pixels, count);
  const void* table = staging_.stage(pixels.table->data(), 3 * 256 * sizeof(float));
  return {static_cast<const std::uint8_t*>(bytes), static_cast<const float*>(table), nullptr};
}

void CudaStream::embed_patches(const compute::PatchEmbedding& embedding,
                               const compute::PixelBatch& pixels, std::int64_t rows_per_image,
                               std::int64_t first_row, Matrix out) {
  const auto& packed = static_cast<const CudaPatchEmbedding&>(embedding);
  const std::int64_t p = packed.patch, columns = pixels.width / p;
  const std::int64_t patches = pixels.height / p * columns;
  if (patches == 0 || pixels.batch == 0) return;
  const PatchSource source{stage_pixels(pixels), pixels.height, pixels.width, p, columns, patches};
  const Step step{&packed.matrix, pixels.batch * patches, Activation::kNone, false};
  const RowMap to_row{first_row, patches, rows_per_image};
  Key key;
  key.add('p').add(p).add(source.pixels.bytes).add(source.pixels.table);
  key.add(source.pixels.values).add(pixels.height).add(pixels.width).add(pixels.batch);
  key.add(to_row.first).add(to_row.jump);
  add_weights(key, packed.matrix);
  const auto run = [this, source, step, to_row](const Bound& bound) {
    if (options_.use_library &&
        multiply_source_by_library(*runtime_, step, source, bound.write, {}, &to_row, bound))
      return;
    ProductArgs args = args_of(step, bound.write, {});
    args.to_row = to_row;
    enqueue_product(bound.queue, step.matrix->storage, args, source);
  };
  record(std::move(key), {{out}}, Operand{out}, run,
         options_.use_library ? source_scratch(step, /*moves=*/true) : 0);
}

void CudaStream::convolve(const compute::Convolution& convolution, FeatureMap x,
                          FeatureMap residual, FeatureMap y) {
  if (y.size() == 0) return;
  const auto& packed = static_cast<const CudaConvolution&>(convolution);
  const compute::ConvolutionWeights& shape = packed.shape;
  const bool has_residual = residual.data != nullptr;
  const Matrix rest = has_residual ? positions(residual) : Matrix{};
  const bool is_linear =
      shape.kernel == 1 && shape.stride == 1 && shape.pad_before == 0 && shape.pad_after == 0;
  if (packed.matrix != nullptr && is_linear)
    return multiply(*packed.matrix, positions(x), shape.activation, shape.activates_sum, rest,
                    positions(y));
  std::vector<Operand> reads{{positions(x)}};
  if (has_residual) reads.push_back({rest});
  Key key;
  key.add('c').add(x.batch).add(x.height).add(x.width).add(y.height).add(y.width);
  key.add(shape.kernel).add(shape.stride).add(shape.pad_before).add(shape.activation);
  key.add(shape.activates_sum).add(packed.weight.data()).add(packed.bias.data());
  if (packed.matrix != nullptr) add_weights(key, *packed.matrix);
  if (packed.matrix != nullptr) {
    const Step step{packed.matrix.get(), y.batch * y.height * y.width, shape.activation,
                    shape.activates_sum};
    const WindowSource source{x.data,  x.height,     x.width,      x.channels,      y.height,
                              y.width, shape.kernel, shape.stride, shape.pad_before};
    const auto run = [this, step, source, has_residual](const Bound& bound) {
      const Cells residual_cells = has_residual ? bound.reads[1] : Cells{};
      if (options_.use_library && multiply_source_by_library(*runtime_, step, source, bound.write,
                                                             residual_cells, nullptr, bound))
        return;
      enqueue_product(bound.queue, step.matrix->storage, args_of(step, bound.write, residual_cells),
                      source);
    };
    record(std::move(key), std::move(reads), Operand{positions(y)}, run,
           options_.use_library ? source_scratch(step, /*moves=*/false) : 0);
    return;
  }
  Depthwise kernel{};
  kernel.shape = {x.height, x.width,      x.channels,   y.height,
                  y.width,  shape.kernel, shape.stride, shape.pad_before};
  kernel.size = y.size();
  kernel.x = x.data;
  kernel.y = y.data;
  kernel.residual = residual.data;
  kernel.weight = packed.weight.floats();
  kernel.bias = packed.bias.floats();
  kernel.activation = shape.activation;
  kernel.activates_sum = shape.activates_sum;
  record(std::move(key), std::move(reads), Operand{positions(y)}, [kernel](const Bound& bound) {
    enqueue(bound.queue, kernel, (kernel.size + kMapThreads - 1) / kMapThreads);
  });
}

}  // namespace vecframe::backends::cuda
