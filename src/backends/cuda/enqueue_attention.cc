#include "backends/cuda/enqueue.h"
#include "backends/cuda/kernels/attention_tensor.h"
#include "backends/cuda/kernels/start.h"

namespace vecframe::backends::cuda {
namespace {

template <class Kernel>
void start_tiles(QueueHandle queue, AttentionArgs args, std::int64_t sequences,
                 std::int64_t longest) {
  args.tiles = (longest + Kernel::kQueries - 1) / Kernel::kQueries;
  start(queue, Kernel{args}, sequences * args.heads * args.tiles);
}

template <class T>
void start_tensor(QueueHandle queue, const AttentionArgs& args, std::int64_t sequences,
                  std::int64_t longest) {
  if (args.head_dim <= 32)
    return start_tiles<AttentionTensor<T, 32>>(queue, args, sequences, longest);
  if (args.head_dim <= 64)
    return start_tiles<AttentionTensor<T, 64>>(queue, args, sequences, longest);
  if (args.head_dim <= 80)
    return start_tiles<AttentionTensor<T, 80>>(queue, args, sequences, longest);
  if (args.head_dim <= 96)
    return start_tiles<AttentionTensor<T, 96>>(queue, args, sequences, longest);
  start_tiles<AttentionTensor<T, 128>>(queue, args, sequences, longest);
}

}  // namespace

bool attends_by_tensor(std::int64_t head_dim, std::int64_t stride, const void* data) {
  return head_dim % 8 == 0 && head_dim <= kMaxHeadDim && stride % 8 == 0 &&
         reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
}

void enqueue_attention(QueueHandle queue, AttentionArgs args, std::int64_t sequences,
                       std::int64_t longest) {
  const bool tensor = args.qkv.storage != Storage::kFloat && args.table == nullptr &&
                      attends_by_tensor(args.head_dim, args.qkv.stride, args.qkv.data);
  if (!tensor) return start_tiles<AttentionFloat>(queue, args, sequences, longest);
  if (args.qkv.storage == Storage::kBf16)
    return start_tensor<Bf16>(queue, args, sequences, longest);
  start_tensor<F16>(queue, args, sequences, longest);
}

void enqueue(QueueHandle queue, const PoolAttention& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}

}  // namespace vecframe::backends::cuda
