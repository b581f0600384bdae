#include "backends/cuda/enqueue.h"
#include "backends/cuda/kernels/start.h"

namespace vecframe::backends::cuda {

void enqueue(QueueHandle queue, const MoveRows& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const Normalize& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const RotatePairs& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const Gate& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const Finish& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const MeanRows& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const ConvertRows& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const Depthwise& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const MaxPool& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const LoadPixels& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const ChannelNorms& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const ScaleByNorms& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}

void enqueue(QueueHandle queue, const LoadRows<PatchSource>& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}
void enqueue(QueueHandle queue, const LoadRows<WindowSource>& kernel, std::int64_t blocks) {
  start(queue, kernel, blocks);
}

}  // namespace vecframe::backends::cuda
