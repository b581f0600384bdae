#include "backends/cpu/team.h"

#include <utility>

namespace vecframe::backends::cpu {
namespace {

// Some tens of microseconds: longer than what lies between two products of a small batch.
constexpr int kSpins = 4000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Returns when `value` is no longer `old`.
void await_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

Team::Team(int size) {
  try {
    for (int i = 1; i < size; ++i) helpers_.emplace_back([this, i] { help(i); });
  } catch (...) {
    ending_ = true;
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
    throw;
  }
}

Team::~Team() {
  ending_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void Team::run(const std::function<void(int)>& part) {
  part_ = &part;
  working_.store(static_cast<std::uint32_t>(helpers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  run_part(0);
  for (std::uint32_t left = working_.load(std::memory_order_acquire); left != 0;
       left = working_.load(std::memory_order_acquire))
    await_change(working_, left);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Team::run_part(int index) {
  try {
    (*part_)(index);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void Team::help(int index) {
  for (std::uint32_t seen = 0;; ++seen) {
    await_change(round_, seen);
    if (ending_) return;
    run_part(index);
    working_.fetch_sub(1, std::memory_order_release);
    working_.notify_one();
  }
}

}  // namespace vecframe::backends::cpu
