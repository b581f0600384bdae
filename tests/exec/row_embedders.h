// Embedders of a provider for tests: a text's vector is its length and its number, `t<number>`.
#pragma once

#include <vecframe/error.h>
#include <vecframe/provider.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace vecframe::exec {

inline RowVector vector_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data() + 1, text.data() + text.size(), number);
  return {{static_cast<float>(text.size()), static_cast<float>(number)}, {}};
}

inline std::vector<RowVector> vectors_of(std::span<const std::string_view> texts) {
  std::vector<RowVector> vectors;
  for (const std::string_view text : texts) vectors.push_back(vector_of(text));
  return vectors;
}

/// Counts what goes on at once, and keeps the sizes of batches.
class CallCounter {
 public:
  void begin(std::size_t rows) {
    const int now = ++running_;
    int seen = most_;
    while (seen < now && !most_.compare_exchange_weak(seen, now)) {
    }
    std::lock_guard lock(mutex_);
    sizes_.push_back(rows);
  }
  void end() { --running_; }
  int most() const { return most_; }
  std::vector<std::size_t> sizes() const {
    std::lock_guard lock(mutex_);
    return sizes_;
  }

 private:
  std::atomic<int> running_{0}, most_{0};
  mutable std::mutex mutex_;
  std::vector<std::size_t> sizes_;
};

using TextCall = std::function<std::vector<RowVector>(std::span<const std::string_view>)>;

class SyncTexts final : public SyncEmbedder<std::string_view> {
 public:
  SyncTexts(TextCall call, CallCounter& counter) : call_(std::move(call)), counter_(counter) {}
  std::vector<RowVector> embed(std::span<const std::string_view> texts) override {
    counter_.begin(texts.size());
    struct End {
      CallCounter& counter;
      ~End() { counter.end(); }
    } end{counter_};
    return call_(texts);
  }

 private:
  TextCall call_;
  CallCounter& counter_;
};

/// Answers on a thread of its own, the requests that wait there in the reverse of their order.
class AsyncTexts final : public AsyncEmbedder<std::string_view> {
 public:
  AsyncTexts(TextCall call, CallCounter& counter)
      : call_(std::move(call)), counter_(counter), thread_([this] { run(); }) {}
  ~AsyncTexts() override {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void submit(std::span<const std::string_view> texts, Completion completion) override {
    counter_.begin(texts.size());
    {
      std::lock_guard lock(mutex_);
      requests_.emplace_back(texts, std::move(completion));
    }
    changed_.notify_one();
  }

 private:
  using Request = std::pair<std::span<const std::string_view>, Completion>;

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ended_ || !requests_.empty(); });
      if (requests_.empty()) return;
      const Request request = std::move(requests_.back());
      requests_.pop_back();
      lock.unlock();
      Result result;
      try {
        result = call_(request.first);
      } catch (...) {
        result = std::current_exception();
      }
      counter_.end();
      request.second(std::move(result));
      lock.lock();
    }
  }

  TextCall call_;
  CallCounter& counter_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  bool ended_ = false;
  std::thread thread_;
};

class Texts final : public TextDescriptor {
 public:
  Texts(CallRules rules, TextCall call) : rules_(std::move(rules)), call_(std::move(call)) {
    identity_.provider = "texts";
    identity_.model = "length";
    identity_.dimension = 2;
  }
  const EmbedderIdentity& identity() const override { return identity_; }
  const CallRules& rules() const override { return rules_; }
  AnyEmbedder<std::string_view> instantiate(const StopSource& /*stop*/) const override {
    ++instances;
    if (rules_.is_async) return std::make_unique<AsyncTexts>(call_, counter);
    return std::make_unique<SyncTexts>(call_, counter);
  }

  mutable CallCounter counter;
  mutable std::atomic<int> instances{0};

 private:
  CallRules rules_;
  TextCall call_;
  EmbedderIdentity identity_;
};

}  // namespace vecframe::exec
