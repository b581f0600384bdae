// Calls that move, norm and gate rows, and those that bring values in and out. The others are in
// stream_products.cc, stream_attention.cc and stream_maps.cc.
#include "backends/cuda/cuda_stream.h"

#include <utility>

#include "backends/cuda/enqueue.h"

namespace vecframe::backends::cuda {

using compute::Matrix;

CudaStream::CudaStream(RuntimePointer runtime, StreamOptions options)
    : runtime_(std::move(runtime)),
      options_(options),
      workspace_(runtime_),
      staging_(runtime_),
      recorder_(runtime_, options.use_graphs) {}

CudaStream::~CudaStream() { runtime_->settle(recorder_.queue()); }

void CudaStream::reset() {
  recorder_.forget();
  runtime_->wait_for(recorder_.queue());
  staging_.clear();
  workspace_.reset();
}

void CudaStream::record(Key key, std::vector<Operand> reads, std::optional<Operand> write,
                        std::function<void(const Bound&)> run, std::size_t scratch_bytes) {
  recorder_.add({key.take(), std::move(reads), std::move(write), scratch_bytes, std::move(run)});
}

// `whole` says that all of `to` is written; what is already there is an operand otherwise.
void CudaStream::move_rows(MoveRows kernel, Matrix from, Matrix to, std::int64_t count,
                           bool whole) {
  if (count == 0) return;
  Key key;
  key.add('m').add(kernel.columns).add(kernel.from_first).add(kernel.from_period);
  key.add(kernel.from_step).add(kernel.table).add(kernel.to_row.first).add(kernel.to_row.period);
  key.add(kernel.to_row.jump).add(kernel.accumulate).add(from.data).add(from.stride).add(count);
  std::vector<Operand> reads{{from, whole}};
  if (!whole) reads.push_back({to});
  record(std::move(key), std::move(reads), Operand{to, whole},
         [kernel, count](const Bound& bound) mutable {
           kernel.from = bound.reads[0];
           kernel.to = bound.write;
           enqueue(bound.queue, kernel, count);
         });
}

namespace {

Matrix rows_of(const compute::Vector& vector, std::int64_t columns) {
  const auto& from = static_cast<const CudaVector&>(vector);
  // Nothing writes it, whatever the type of a matrix says.
  return {const_cast<float*>(from.data()), from.count / columns, columns, columns};
}

const float* values_of(const compute::Vector& vector) {
  return static_cast<const CudaVector&>(vector).data();
}

}  // namespace

void CudaStream::broadcast_rows(const compute::Vector& rows, std::int64_t batch,
                                std::int64_t rows_per_image, std::int64_t first_row, Matrix out) {
  const Matrix from = rows_of(rows, out.columns);
  MoveRows kernel{};
  kernel.columns = out.columns;
  kernel.from_period = from.rows;
  kernel.from_step = 1;
  kernel.to_row = {first_row, from.rows, rows_per_image};
  move_rows(kernel, from, out, batch * from.rows, /*whole=*/false);
}

void CudaStream::add_rows(const compute::Vector& rows, std::int64_t batch, Matrix x) {
  if (batch == 0) return;
  const Matrix from = rows_of(rows, x.columns);
  MoveRows kernel{};
  kernel.columns = x.columns;
  kernel.from_period = x.rows / batch;
  kernel.from_step = 1;
  kernel.accumulate = true;
  move_rows(kernel, from, x, x.rows, /*whole=*/false);
}

void CudaStream::add(Matrix from, Matrix x) {
  MoveRows kernel{};
  kernel.columns = x.columns;
  kernel.from_period = x.rows;
  kernel.from_step = 1;
  kernel.accumulate = true;
  move_rows(kernel, from, x, x.rows, /*whole=*/false);
}

void CudaStream::gather_rows(Matrix x, std::int64_t first, std::int64_t step, Matrix y) {
  MoveRows kernel{};
  kernel.columns = y.columns;
  kernel.from_first = first;
  kernel.from_period = y.rows;
  kernel.from_step = step;
  move_rows(kernel, x, y, y.rows, /*whole=*/true);
}

void CudaStream::take_rows(Matrix x, std::span<const std::int64_t> rows, Matrix y) {
  if (rows.empty()) return;
  MoveRows kernel{};
  kernel.columns = y.columns;
  kernel.from_period = 1;
  kernel.table = static_cast<const std::int64_t*>(staging_.stage(rows.data(), rows.size_bytes()));
  move_rows(kernel, x, y, static_cast<std::int64_t>(rows.size()), /*whole=*/true);
}

void CudaStream::upload(std::span<const float> values, Matrix x) {
  if (x.rows == 0) return;
  const auto* staged =
      static_cast<const float*>(staging_.stage(values.data(), values.size_bytes()));
  MoveRows kernel{};
  kernel.columns = x.columns;
  kernel.from_period = x.rows;
  kernel.from_step = 1;
  move_rows(kernel, {const_cast<float*>(staged), x.rows, x.columns, x.columns}, x, x.rows,
            /*whole=*/false);
}

void CudaStream::download(Matrix x, std::span<float> out) {
  if (x.rows == 0 || x.columns == 0) return;
  record(Key().add('d'), {{x}}, std::nullopt, [](const Bound&) {});
  staging_.join(recorder_.queue());
  recorder_.flush();
  const auto row = static_cast<std::size_t>(x.columns) * sizeof(float);
  staging_.read(out.data(), x.data, row, static_cast<std::size_t>(x.stride) * sizeof(float),
                static_cast<std::size_t>(x.rows), recorder_.queue());
}

void CudaStream::normalize(compute::NormKind kind, const compute::Vector& weight,
                           const compute::Vector* bias, float epsilon, Matrix x, Matrix y) {
  if (x.rows == 0) return;
  Normalize kernel{};
  kernel.columns = x.columns;
  kernel.weight = values_of(weight);
  kernel.bias = bias != nullptr ? values_of(*bias) : nullptr;
  kernel.epsilon = epsilon;
  kernel.centred = kind == compute::NormKind::kLayerNorm;
  const std::int64_t rows = x.rows;
  record(Key().add('n').add(kernel.weight).add(kernel.bias).add(epsilon).add(kernel.centred),
         {{x, true}}, Operand{y, true}, [kernel, rows](const Bound& bound) mutable {
           kernel.x = bound.reads[0];
           kernel.y = bound.write;
           enqueue(bound.queue, kernel, rows);
         });
}

void CudaStream::rotate_pairs(const compute::Vector& turns, std::int64_t batch, std::int64_t heads,
                              std::int64_t first_row, Matrix x) {
  if (batch == 0 || x.rows == 0) return;
  const std::int64_t per_image = x.rows / batch, rows = per_image - first_row;
  if (rows <= 0) return;
  RotatePairs kernel{};
  kernel.heads = heads;
  kernel.head_dim = x.columns / heads;
  kernel.rows = rows;
  kernel.row = {first_row, rows, per_image};
  kernel.turns = values_of(turns);
  const std::int64_t count = batch * rows;
  record(Key().add('r').add(heads).add(first_row).add(batch).add(kernel.turns), {{x, true}},
         Operand{x, true}, [kernel, count](const Bound& bound) mutable {
           kernel.x = bound.write;
           enqueue(bound.queue, kernel, count);
         });
}

void CudaStream::gate(compute::Activation activation, Matrix x, Matrix y) {
  if (x.rows == 0) return;
  Gate kernel{};
  kernel.columns = x.columns / 2;
  kernel.activation = activation;
  const std::int64_t rows = x.rows;
  record(Key().add('g').add(activation), {{x, true}}, Operand{y, true},
         [kernel, rows](const Bound& bound) mutable {
           kernel.x = bound.reads[0];
           kernel.y = bound.write;
           enqueue(bound.queue, kernel, rows);
         });
}

void CudaStream::mean_rows(Matrix x, std::int64_t batch, std::int64_t first, Matrix y) {
  if (batch == 0) return;
  MeanRows kernel{};
  kernel.columns = x.columns;
  kernel.rows_per_image = x.rows / batch;
  kernel.first = first;
  const std::int64_t blocks = batch * MeanRows::chunks(x.columns);
  record(Key().add('a').add(batch).add(first), {{x, true}}, Operand{y, true},
         [kernel, blocks](const Bound& bound) mutable {
           kernel.x = bound.reads[0];
           kernel.y = bound.write;
           enqueue(bound.queue, kernel, blocks);
         });
}

}  // namespace vecframe::backends::cuda
