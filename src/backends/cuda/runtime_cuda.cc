#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <vecframe/error.h>

#include <cstdlib>
#include <stdexcept>

#include "backends/cuda/cuda_check.h"
#include "backends/cuda/runtime.h"
#include "backends/cuda/runtime_library.h"
#include "compute/out_of_memory.h"

namespace vecframe::backends::cuda {
namespace {

cudaStream_t stream_of(QueueHandle queue) { return static_cast<cudaStream_t>(queue); }
cudaEvent_t event_of(EventHandle event) { return static_cast<cudaEvent_t>(event); }

// The first with bf16 on its tensor cores, and the first that the kernels are compiled for.
constexpr int kLeastCapability = 8;
// A driver runs what was built for an earlier or the same major version.
constexpr int kLeastDriver = CUDART_VERSION / 1000 * 1000;

bool is_new_enough(int ordinal) {
  int major = 0;
  if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal) == cudaSuccess)
    return major >= kLeastCapability;
  cudaGetLastError();
  return false;
}

// 13020 as "13.2".
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

class CudaGraph final : public Graph {
 public:
  explicit CudaGraph(cudaGraphExec_t graph) : graph_(graph) {}
  ~CudaGraph() override { cudaGraphExecDestroy(graph_); }
  cudaGraphExec_t get() const { return graph_; }

 private:
  cudaGraphExec_t graph_;
};

}  // namespace

int count_devices(std::string& problem) {
  problem.clear();
  // Without a driver the runtime would say that it is too old; of one that is, it knows no version.
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) {
    problem = "no NVIDIA driver was found";
    return 0;
  }
  const auto driver_version = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDriverGetVersion"));
  int version = 0;
  if (driver_version != nullptr && driver_version(&version) == 0 && version < kLeastDriver) {
    problem = "the NVIDIA driver is for CUDA " + version_text(version) +
              ", and this build needs one for " + version_text(kLeastDriver) + " or later";
    return 0;
  }
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  cudaGetLastError();  // the next check is not about this
  if (error == cudaSuccess && count > 0) {
    for (int i = 0; i < count; ++i)
      if (is_new_enough(i)) return count;
    problem = "of compute capability " + std::to_string(kLeastCapability) +
              ".0 or later there is no device";
  } else {
    problem =
        error == cudaSuccess ? "no CUDA-capable device is detected" : cudaGetErrorString(error);
  }
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible != nullptr) problem += std::string(", CUDA_VISIBLE_DEVICES is '") + visible + "'";
  return 0;
}

// Asks only: a process that describes a model and runs nothing makes no context on the device.
Runtime::Runtime(int ordinal) : ordinal_(ordinal) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  facts_.name = properties.name;
  facts_.architecture = "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
  facts_.memory_bytes = properties.totalGlobalMem;
  if (properties.major < kLeastCapability)
    throw RequestError("device: 'cuda:" + std::to_string(ordinal) + "' is a " + facts_.name +
                       " of compute capability " + std::to_string(properties.major) + "." +
                       std::to_string(properties.minor) +
                       "; name one of 8.0 or later, or leave it out of CUDA_VISIBLE_DEVICES");
  library_ = std::make_unique<Library>();
}

Runtime::~Runtime() {
  if (library_->handle != nullptr) cudaSetDevice(ordinal_);
}

void Runtime::use() const { check(cudaSetDevice(ordinal_), "cudaSetDevice"); }

void* Runtime::allocate(std::size_t bytes) {
  use();
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // the next check is not about this
    throw compute::OutOfMemory(facts_.name, bytes);
  }
  check(error, "cudaMalloc");
  return memory;
}

void Runtime::release(void* memory) noexcept {
  cudaSetDevice(ordinal_);
  cudaFree(memory);
}

void* Runtime::allocate_pinned(std::size_t bytes) {
  use();
  void* memory = nullptr;
  check(cudaMallocHost(&memory, bytes), "cudaMallocHost");
  return memory;
}

void Runtime::release_pinned(void* memory) noexcept { cudaFreeHost(memory); }

QueueHandle Runtime::make_queue() {
  use();
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  return stream;
}

void Runtime::release_queue(QueueHandle queue) noexcept { cudaStreamDestroy(stream_of(queue)); }

EventHandle Runtime::make_event() {
  use();
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
  return event;
}

void Runtime::release_event(EventHandle event) noexcept { cudaEventDestroy(event_of(event)); }

void Runtime::record(EventHandle event, QueueHandle queue) {
  use();
  check(cudaEventRecord(event_of(event), stream_of(queue)), "cudaEventRecord");
}

void Runtime::make_wait(QueueHandle queue, EventHandle event) {
  use();
  check(cudaStreamWaitEvent(stream_of(queue), event_of(event), 0), "cudaStreamWaitEvent");
}

void Runtime::wait(EventHandle event) {
  use();
  check(cudaEventSynchronize(event_of(event)), "cudaEventSynchronize");
}

void Runtime::wait_for(QueueHandle queue) {
  use();
  check(cudaStreamSynchronize(stream_of(queue)), "cudaStreamSynchronize");
}

void Runtime::settle(QueueHandle queue) noexcept {
  cudaSetDevice(ordinal_);
  cudaStreamSynchronize(stream_of(queue));
  cudaGetLastError();
}

void Runtime::copy_in(void* to, const void* from, std::size_t bytes, QueueHandle queue) {
  use();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_of(queue)),
        "cudaMemcpyAsync");
}

void Runtime::copy_out(void* to, const void* from, std::size_t bytes, std::size_t pitch,
                       std::size_t rows, QueueHandle queue) {
  use();
  if (rows == 0 || bytes == 0) return;
  if (rows == 1) pitch = bytes;
  check(cudaMemcpy2DAsync(to, bytes, from, pitch, bytes, rows, cudaMemcpyDeviceToHost,
                          stream_of(queue)),
        "cudaMemcpy2DAsync");
}

void Runtime::upload(void* to, const void* from, std::size_t bytes) {
  use();
  check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
  // From pageable memory it may return before the device has the last bytes.
  check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
}

std::unique_ptr<Graph> Runtime::capture(QueueHandle queue, const std::function<void()>& enqueue) {
  use();
  const cudaStream_t stream = stream_of(queue);
  if (cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  cudaGraph_t graph = nullptr;
  bool captured = true;
  try {
    enqueue();
  } catch (const std::runtime_error&) {
    captured = false;  // an error of the work itself comes again when it runs
  }
  const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
  if (ended != cudaSuccess || !captured) {
    cudaGetLastError();
    if (graph != nullptr) cudaGraphDestroy(graph);
    return nullptr;
  }
  cudaGraphExec_t executable = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  if (error != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  return std::make_unique<CudaGraph>(executable);
}

void Runtime::start(const Graph& graph, QueueHandle queue) {
  use();
  check(cudaGraphLaunch(static_cast<const CudaGraph&>(graph).get(), stream_of(queue)),
        "cudaGraphLaunch");
}

}  // namespace vecframe::backends::cuda
