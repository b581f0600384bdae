#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vecframe::backends::cpu {

/// Threads that share the parts of one product after the other, where a stream has several cores
/// for itself. They spin for some microseconds between two products, then sleep.
class Team {
 public:
  /// `size` threads, of which the caller's is one. Throws std::system_error.
  explicit Team(int size);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return static_cast<int>(helpers_.size()) + 1; }
  /// part(i) for each i below size(), part(0) on the calling thread; returns when all are done, and
  /// throws what the first of them threw.
  void run(const std::function<void(int)>& part);

 private:
  void help(int index);
  void run_part(int index);

  const std::function<void(int)>* part_ = nullptr;  // published by round_, as ending_ is
  bool ending_ = false;
  std::atomic<std::uint32_t> round_{0};
  std::atomic<std::uint32_t> working_{0};  // helpers that are not done with the round
  std::mutex mutex_;
  std::exception_ptr failure_;  // guarded by mutex_
  std::vector<std::thread> helpers_;
};

/// What thread `index` of `size` does of [0, count), in whole units.
struct Share {
  std::int64_t begin, end;
};
inline Share share_of(std::int64_t count, std::int64_t unit, int index, int size) {
  const std::int64_t units = (count + unit - 1) / unit;
  const auto bound = [&](int i) {
    const std::int64_t at = units * i / size * unit;
    return at < count ? at : count;
  };
  return {bound(index), bound(index + 1)};
}

}  // namespace vecframe::backends::cpu
