#include "backends/cuda/enqueue.h"
#include "backends/cuda/kernels/start.h"

namespace vecframe::backends::cuda {
namespace {

template <class Source>
void start_product(QueueHandle queue, Storage weight, const ProductArgs& args,
                   const Source& source) {
  const auto tiles = [](std::int64_t count) { return (count + kTile - 1) / kTile; };
  const std::int64_t blocks = tiles(args.rows) * tiles(args.out);
  switch (weight) {
    case Storage::kFloat:
      return start(queue, ProductFloat<Source>{args, source}, blocks);
    case Storage::kBf16:
      return start(queue, ProductTensor<Bf16, Source>{args, source}, blocks);
    case Storage::kF16:
      return start(queue, ProductTensor<F16, Source>{args, source}, blocks);
  }
}

}  // namespace

void enqueue_product(QueueHandle queue, Storage weight, const ProductArgs& args,
                     const MatrixSource& source) {
  start_product(queue, weight, args, source);
}
void enqueue_product(QueueHandle queue, Storage weight, const ProductArgs& args,
                     const PatchSource& source) {
  start_product(queue, weight, args, source);
}
void enqueue_product(QueueHandle queue, Storage weight, const ProductArgs& args,
                     const WindowSource& source) {
  start_product(queue, weight, args, source);
}

}  // namespace vecframe::backends::cuda
