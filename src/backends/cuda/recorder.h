// Keeps the operations of a stream until they are needed, then runs them: the first time one by
// one, from the second time on as one graph.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "backends/cuda/recording.h"
#include "backends/cuda/runtime.h"

namespace vecframe::backends::cuda {

/// What a graph was made of: bytes that say everything its kernels were told.
class Key {
 public:
  template <class T>
  Key& add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Key& add(const compute::Matrix& m) {
    return add(m.data).add(m.rows).add(m.columns).add(m.stride);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Recorder {
 public:
  Recorder(std::shared_ptr<Runtime> runtime, bool use_graphs);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void add(Operation operation);
  /// Puts everything into the queue, in float32 wherever someone may look at it again. Throws
  /// compute::OutOfMemory.
  void flush();
  /// Forgets what was not run, and that any value was kept in 16 bits.
  void forget();
  bool empty() const { return operations_.empty(); }
  QueueHandle queue() const { return queue_.get(); }
  const Runtime& runtime() const { return *runtime_; }

 private:
  struct Captured {
    std::string key;
    std::unique_ptr<Graph> graph = nullptr;  // null: seen once
    bool refused = false;                    // it cannot be captured
  };
  struct Narrow {
    compute::Matrix matrix;
    Storage storage;
  };
  static constexpr std::size_t kGraphs = 8;  // the last used

  void run_all(const StoragePlan& plan);
  void keep_track(const StoragePlan& plan);
  void widen_where_used(const Operation& operation);
  void widen(const Narrow& value);
  void ensure_scratch(std::size_t bytes);
  std::string key_of(const StoragePlan& plan) const;

  std::shared_ptr<Runtime> runtime_;
  const bool use_graphs_;
  Queue queue_;
  std::vector<Operation> operations_;
  std::vector<Narrow> narrow_;  // values of earlier flushes that lie in 16 bits
  DeviceMemory scratch_, workspace_;
  std::list<Captured> captured_;  // the last used first
};

}  // namespace vecframe::backends::cuda
