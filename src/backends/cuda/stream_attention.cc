#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/cuda/cuda_stream.h"
#include "backends/cuda/enqueue.h"

namespace vecframe::backends::cuda {

using compute::Matrix;

struct CudaStream::Attend {
  AttentionArgs args{};
  std::int64_t sequences = 0, longest = 0;

  Attend(const Matrix& qkv, std::int64_t heads, float scale) {
    args.heads = heads;
    args.head_dim = qkv.columns / 3 / heads;
    args.scale = scale;
  }
  /// Of `batch` sequences of one length.
  Attend(const Matrix& qkv, std::int64_t batch, std::int64_t heads, float scale)
      : Attend(qkv, heads, scale) {
    args.sequences.tokens = longest = qkv.rows / batch;
    sequences = batch;
  }
};

void CudaStream::attend(const Attend& what, Matrix qkv, Matrix out) {
  const AttentionArgs& args = what.args;
  if (args.head_dim > kMaxHeadDim) {
    throw std::invalid_argument("cuda: attention heads of " + std::to_string(args.head_dim) +
                                " columns; at most " + std::to_string(kMaxHeadDim));
  }
  if (qkv.rows == 0 || what.sequences == 0) return;
  const bool tensor =
      args.table == nullptr && attends_by_tensor(args.head_dim, qkv.stride, qkv.data);
  Key key;
  key.add('t').add(args.heads).add(args.scale).add(args.causal).add(args.table);
  key.add(args.grid_columns).add(args.sequences.tokens).add(args.sequences.starts);
  key.add(what.sequences).add(what.longest);
  record(std::move(key), {{qkv, tensor}}, Operand{out, true}, [what](const Bound& bound) {
    AttentionArgs bound_args = what.args;
    bound_args.qkv = bound.reads[0];
    bound_args.out = bound.write;
    enqueue_attention(bound.queue, bound_args, what.sequences, what.longest);
  });
}

void CudaStream::attention(Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                           tensor::Precision /*precision*/, Matrix out) {
  if (batch == 0) return;
  attend({qkv, batch, heads, scale}, qkv, out);
}

void CudaStream::causal_attention(Matrix qkv, std::span<const std::int64_t> lengths,
                                  std::int64_t heads, float scale, tensor::Precision /*precision*/,
                                  Matrix out) {
  if (lengths.empty()) return;
  std::vector<std::int64_t> starts{0};
  for (const std::int64_t length : lengths) starts.push_back(starts.back() + length);
  Attend what(qkv, heads, scale);
  what.args.causal = true;
  what.args.sequences.starts = static_cast<const std::int64_t*>(
      staging_.stage(starts.data(), starts.size() * sizeof(std::int64_t)));
  what.sequences = static_cast<std::int64_t>(lengths.size());
  what.longest = *std::max_element(lengths.begin(), lengths.end());
  attend(what, qkv, out);
}

void CudaStream::relative_attention(const compute::Vector& table, std::int64_t grid_columns,
                                    Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
                                    tensor::Precision /*precision*/, Matrix out) {
  if (batch == 0) return;
  Attend what(qkv, batch, heads, scale);
  what.args.table = static_cast<const CudaVector&>(table).data();
  what.args.grid_columns = grid_columns;
  attend(what, qkv, out);
}

void CudaStream::pool_attention(const compute::Vector& query, Matrix kv, std::int64_t batch,
                                std::int64_t heads, float scale, Matrix out) {
  if (batch == 0) return;
  PoolAttention kernel{};
  kernel.query = static_cast<const CudaVector&>(query).data();
  kernel.heads = heads;
  kernel.head_dim = kv.columns / 2 / heads;
  kernel.tokens = kv.rows / batch;
  kernel.scale = scale;
  if (kernel.head_dim > PoolAttention::kThreads) {
    throw std::invalid_argument("cuda: attention heads of " + std::to_string(kernel.head_dim) +
                                " columns; at most " + std::to_string(PoolAttention::kThreads));
  }
  record(Key().add('o').add(kernel.query).add(heads).add(batch).add(scale), {{kv}},
         Operand{out, true}, [kernel, batch](const Bound& bound) mutable {
           kernel.kv = bound.reads[0];
           kernel.out = bound.write;
           enqueue(bound.queue, kernel, batch * kernel.heads);
         });
}

}  // namespace vecframe::backends::cuda
