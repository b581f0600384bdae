// Puts kernels into a queue. Compiled by nvcc for the GPU, and by the host's compiler for the
// emulation; everything else of the backend sees plain functions.
#pragma once

#include "backends/cuda/kernels/attention.h"
#include "backends/cuda/kernels/maps.h"
#include "backends/cuda/kernels/product.h"
#include "backends/cuda/kernels/rows.h"
#include "backends/cuda/runtime.h"

namespace vecframe::backends::cuda {

void enqueue(QueueHandle queue, const MoveRows& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const Normalize& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const RotatePairs& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const Gate& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const Finish& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const MeanRows& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const ConvertRows& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const Depthwise& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const MaxPool& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const LoadPixels& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const ChannelNorms& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const ScaleByNorms& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const PoolAttention& kernel, std::int64_t blocks);

/// `longest` is the number of tokens of the longest of `sequences`; args.tiles is set here.
void enqueue_attention(QueueHandle queue, AttentionArgs args, std::int64_t sequences,
                       std::int64_t longest);
/// Whether enqueue_attention takes tensor cores for 16-bit rows of this shape.
bool attends_by_tensor(std::int64_t head_dim, std::int64_t stride, const void* data);

/// `weight` says what args.weight is, and with it the arithmetic.
void enqueue_product(QueueHandle queue, Storage weight, const ProductArgs& args,
                     const MatrixSource& source);
void enqueue_product(QueueHandle queue, Storage weight, const ProductArgs& args,
                     const PatchSource& source);
void enqueue_product(QueueHandle queue, Storage weight, const ProductArgs& args,
                     const WindowSource& source);

void enqueue(QueueHandle queue, const LoadRows<PatchSource>& kernel, std::int64_t blocks);
void enqueue(QueueHandle queue, const LoadRows<WindowSource>& kernel, std::int64_t blocks);

}  // namespace vecframe::backends::cuda
