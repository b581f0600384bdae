#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/cuda/emulated/emulation.h"
#include "backends/cuda/emulated/host_queue.h"
#include "backends/cuda/library_product.h"
#include "backends/cuda/runtime.h"
#include "compute/out_of_memory.h"

namespace vecframe::backends::cuda {
namespace {

constexpr int kDevices = 2;
constexpr std::size_t kAlignment = 256;
constexpr std::size_t kMemory = std::size_t{64} << 30;

std::atomic<std::size_t> memory_limit{kMemory};
std::atomic<std::size_t> memory_used{0};
std::atomic<std::size_t> graph_starts{0};
std::atomic<bool> broken{false};

// Whether the thread captures a queue.
thread_local bool capturing = false;

struct Capturing {
  Capturing(HostQueue& queue_, std::vector<HostWork>& work) : queue(queue_) {
    queue.capture_into(&work);
    capturing = true;
  }
  ~Capturing() {
    queue.capture_into(nullptr);
    capturing = false;
  }
  Capturing(const Capturing&) = delete;
  Capturing& operator=(const Capturing&) = delete;
  HostQueue& queue;
};

// The CUDA runtime refuses such calls then, and the capture is lost.
void refuse_in_capture(const char* call) {
  if (capturing) throw std::logic_error(std::string(call) + " while a queue is captured");
}

void refuse_if_broken() {
  if (broken) throw std::runtime_error("emulation: an illegal memory access was encountered");
}

// Sizes of what is allocated, so that release() can count it back.
std::mutex sizes_mutex;
std::unordered_map<void*, std::size_t> sizes;  // guarded by sizes_mutex

void* aligned(std::size_t bytes) {
  const std::size_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// A place in a queue, or none.
struct HostEvent {
  HostQueue* queue = nullptr;
  std::uint64_t given = 0;
  void reach() const {
    if (queue != nullptr) queue->finish(given);
  }
};

HostEvent& event_of(EventHandle event) { return *static_cast<HostEvent*>(event); }
HostQueue& queue_of(QueueHandle queue) { return *static_cast<HostQueue*>(queue); }

class HostGraph final : public Graph {
 public:
  std::vector<HostWork> work;
};

// The library takes infinities of float16 as they are, and writes them.
float value_at(const void* data, std::int64_t at, Storage storage) {
  if (storage == Storage::kF16) return to_float(static_cast<const F16*>(data)[at]);
  return load({const_cast<void*>(data), 0, storage}, 0, at);
}

void put_at(void* data, std::int64_t at, Storage storage, float value) {
  if (storage == Storage::kF16) {
    static_cast<F16*>(data)[at] = {tensor::float_to_f16(value)};
  } else {
    store({data, 0, storage}, 0, at, value);
  }
}

// The library's own order: matrices column by column, so that rows of ours are columns of its.
void multiply_columns(const LibraryProduct& p) {
  for (std::int64_t n = 0; n < p.rows; ++n) {
    for (std::int64_t m = 0; m < p.out; ++m) {
      double sum = 0;
      for (std::int64_t k = 0; k < p.depth; ++k)
        sum += double{value_at(p.weight, k + m * p.weight_pitch, p.input)} *
               value_at(p.x, k + n * p.x_pitch, p.input);
      float value = static_cast<float>(sum);
      if (p.residual != nullptr) value += value_at(p.residual, m + n * p.residual_pitch, p.output);
      value += value_at(p.bias, m, p.output);
      if (p.epilogue == Epilogue::kBiasRelu) value = value < 0 ? 0 : value;
      if (p.epilogue == Epilogue::kBiasGelu)
        value = value / 2 *
                (1 + std::tanh(0.7978845608f * (value + 0.044715f * value * value * value)));
      put_at(p.y, m + n * p.y_pitch, p.output, value);
    }
  }
}

}  // namespace

void set_emulated_memory(std::size_t bytes) { memory_limit = bytes; }
void reset_emulated_memory() { memory_limit = kMemory; }
void break_emulated_devices(bool is_broken) { broken = is_broken; }
std::size_t emulated_memory_used() { return memory_used; }
std::size_t emulated_graph_starts() { return graph_starts; }

int count_devices(std::string& problem) {
  problem.clear();
  return kDevices;
}

struct Runtime::Library {};

Runtime::Runtime(int ordinal) : ordinal_(ordinal), facts_{"host emulation", "host", 0} {
  if (ordinal < 0 || ordinal >= kDevices) throw std::invalid_argument("no such emulated device");
}
Runtime::~Runtime() = default;
void Runtime::use() const { host_device = ordinal_; }

void* Runtime::allocate(std::size_t bytes) {
  refuse_in_capture("allocate");
  refuse_if_broken();
  if (memory_used.fetch_add(bytes) + bytes > memory_limit) {
    memory_used -= bytes;
    throw compute::OutOfMemory(facts_.name, bytes);
  }
  void* memory = aligned(bytes);
  std::memset(memory, 0xFF, bytes);  // NaN, so that what was never written shows
  std::lock_guard lock(sizes_mutex);
  sizes[memory] = bytes;
  return memory;
}

void Runtime::release(void* memory) noexcept {
  refuse_in_capture("release");
  std::lock_guard lock(sizes_mutex);
  const auto found = sizes.find(memory);
  memory_used -= found->second;
  sizes.erase(found);
  std::free(memory);
}

void* Runtime::allocate_pinned(std::size_t bytes) {
  refuse_in_capture("allocate_pinned");
  return aligned(bytes);
}
void Runtime::release_pinned(void* memory) noexcept { std::free(memory); }

QueueHandle Runtime::make_queue() { return new HostQueue(ordinal_); }
void Runtime::release_queue(QueueHandle queue) noexcept { delete static_cast<HostQueue*>(queue); }
EventHandle Runtime::make_event() { return new HostEvent; }
void Runtime::release_event(EventHandle event) noexcept { delete static_cast<HostEvent*>(event); }
void Runtime::record(EventHandle event, QueueHandle queue) {
  event_of(event) = {&queue_of(queue), queue_of(queue).given()};
}
void Runtime::make_wait(QueueHandle queue, EventHandle event) {
  use();
  queue_of(queue).run([reached = event_of(event)] { reached.reach(); });
}
void Runtime::wait(EventHandle event) {
  refuse_in_capture("wait");
  refuse_if_broken();
  event_of(event).reach();
}
void Runtime::wait_for(QueueHandle queue) {
  refuse_in_capture("wait_for");
  refuse_if_broken();
  queue_of(queue).finish();
}
void Runtime::settle(QueueHandle queue) noexcept {
  if (!broken) queue_of(queue).finish();
}

void Runtime::copy_in(void* to, const void* from, std::size_t bytes, QueueHandle queue) {
  use();
  queue_of(queue).run([=] { std::memcpy(to, from, bytes); });
}

void Runtime::copy_out(void* to, const void* from, std::size_t bytes, std::size_t pitch,
                       std::size_t rows, QueueHandle queue) {
  use();
  queue_of(queue).run([=] {
    for (std::size_t r = 0; r < rows; ++r)
      std::memcpy(static_cast<std::byte*>(to) + r * bytes,
                  static_cast<const std::byte*>(from) + r * pitch, bytes);
  });
}

void Runtime::upload(void* to, const void* from, std::size_t bytes) {
  refuse_in_capture("upload");
  refuse_if_broken();
  std::memcpy(to, from, bytes);
}

std::unique_ptr<Graph> Runtime::capture(QueueHandle queue, const std::function<void()>& enqueue) {
  use();
  auto graph = std::make_unique<HostGraph>();
  const Capturing scope(queue_of(queue), graph->work);
  try {
    enqueue();
  } catch (const std::runtime_error&) {
    return nullptr;
  }
  return graph;
}

// The graph may go before its work is done.
void Runtime::start(const Graph& graph, QueueHandle queue) {
  use();
  queue_of(queue).run([work = static_cast<const HostGraph&>(graph).work] {
    for (const HostWork& one : work) one();
  });
  ++graph_starts;
}

std::size_t LibraryProduct::workspace_bytes() { return 0; }

bool LibraryProduct::enqueue(Runtime&, QueueHandle queue, void*) const {
  queue_of(queue).run([product = *this] { multiply_columns(product); });
  return true;
}

}  // namespace vecframe::backends::cuda
