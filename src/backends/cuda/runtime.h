// What the backend asks of a device beside kernels: memory, queues of work, copies, graphs. There
// are two: the CUDA runtime (runtime_cuda.cc), and one on the host that runs the same kernels as
// loops (emulated/runtime_host.cc), with which every call is tested where there is no GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace vecframe::backends::cuda {

/// Work of a stream, in order: a cudaStream_t, or the host's.
using QueueHandle = void*;
using EventHandle = void*;

struct DeviceFacts {
  std::string name;          ///< "NVIDIA H200"
  std::string architecture;  ///< "sm_90"
  std::size_t memory_bytes = 0;
};

/// Devices this process may use, after CUDA_VISIBLE_DEVICES; 0 with the reason in `problem`.
int count_devices(std::string& problem);

/// A sequence of work that was captured, to be started as one. Opaque.
class Graph {
 public:
  virtual ~Graph() = default;
};

/// One device. Thread-safe. Every call that needs it calls use() first.
class Runtime {
 public:
  explicit Runtime(int ordinal);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const DeviceFacts& facts() const { return facts_; }
  /// Makes it the device that the calling thread starts kernels on.
  void use() const;

  /// Throws compute::OutOfMemory.
  void* allocate(std::size_t bytes);
  void release(void* memory) noexcept;
  /// Host memory that copies do not wait for.
  void* allocate_pinned(std::size_t bytes);
  void release_pinned(void* memory) noexcept;

  QueueHandle make_queue();
  void release_queue(QueueHandle queue) noexcept;
  EventHandle make_event();
  void release_event(EventHandle event) noexcept;
  /// Marks the end of what is in the queue now.
  void record(EventHandle event, QueueHandle queue);
  void make_wait(QueueHandle queue, EventHandle event);
  void wait(EventHandle event);
  void wait_for(QueueHandle queue);
  /// As wait_for(), where nobody is left to be told that the work failed: before memory it used
  /// goes.
  void settle(QueueHandle queue) noexcept;

  /// `from` is pinned and stays as it is until the copy is done.
  void copy_in(void* to, const void* from, std::size_t bytes, QueueHandle queue);
  /// Rows of `bytes`, `pitch` bytes apart, to back to back in pinned memory.
  void copy_out(void* to, const void* from, std::size_t bytes, std::size_t pitch, std::size_t rows,
                QueueHandle queue);
  /// Copies and returns when it is done; `from` is any host memory.
  void upload(void* to, const void* from, std::size_t bytes);

  /// The graph of the work that `enqueue` puts into the queue, none of which runs; null if the
  /// device cannot capture it. `enqueue` allocates nothing, releases nothing and waits for nothing.
  std::unique_ptr<Graph> capture(QueueHandle queue, const std::function<void()>& enqueue);
  void start(const Graph& graph, QueueHandle queue);

 private:
  struct Library;
  friend struct LibraryProduct;

  int ordinal_;
  DeviceFacts facts_;
  std::unique_ptr<Library> library_;
};

/// A queue of its own. Whoever gives it work settles it before memory of that work goes.
class Queue {
 public:
  explicit Queue(std::shared_ptr<Runtime> runtime)
      : runtime_(std::move(runtime)), handle_(runtime_->make_queue()) {}
  ~Queue() {
    runtime_->settle(handle_);
    runtime_->release_queue(handle_);
  }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  QueueHandle get() const { return handle_; }

 private:
  std::shared_ptr<Runtime> runtime_;
  QueueHandle handle_;
};

class Event {
 public:
  explicit Event(std::shared_ptr<Runtime> runtime)
      : runtime_(std::move(runtime)), handle_(runtime_->make_event()) {}
  ~Event() { runtime_->release_event(handle_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  EventHandle get() const { return handle_; }

 private:
  std::shared_ptr<Runtime> runtime_;
  EventHandle handle_;
};

class PinnedMemory {
 public:
  PinnedMemory(std::shared_ptr<Runtime> runtime, std::size_t bytes)
      : runtime_(std::move(runtime)), data_(runtime_->allocate_pinned(bytes)) {}
  ~PinnedMemory() { runtime_->release_pinned(data_); }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  void* data() const { return data_; }

 private:
  std::shared_ptr<Runtime> runtime_;
  void* data_;
};

/// Memory of a device; nothing if `bytes` is 0.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(std::shared_ptr<Runtime> runtime, std::size_t bytes)
      : runtime_(std::move(runtime)), bytes_(bytes) {
    if (bytes_ > 0) data_ = runtime_->allocate(bytes_);
  }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceMemory() {
    if (data_ != nullptr) runtime_->release(data_);
  }

  void* data() const { return data_; }
  float* floats() const { return static_cast<float*>(data_); }
  std::size_t bytes() const { return bytes_; }

 private:
  void swap(DeviceMemory& other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  std::shared_ptr<Runtime> runtime_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace vecframe::backends::cuda
