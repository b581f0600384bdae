// Sends rows to a server and brings their vectors back: encodes them, keeps as many requests in
// flight as the server takes, repeats, halves and gives up as SendQueue says.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "providers/http/http_engine.h"
#include "providers/remote/endpoint.h"
#include "providers/remote/send_queue.h"

namespace vecframe::providers {

/// Thread-safe.
class BatchSender {
 public:
  using Completion = SendQueue::Completion;
  /// The row's part of a request, which stands between the two halves of its ItemShape, or why
  /// there is none. Called from several threads.
  using RowEncoder = std::function<Result<std::string>(std::size_t row)>;

  /// `key` may be empty. As soon as `cancellation`, which is not null, is raised, every completion
  /// is called.
  BatchSender(Endpoint endpoint, std::string key, SendRules rules,
              std::shared_ptr<const CancellationToken> cancellation);
  /// When no completion is outstanding.
  ~BatchSender();

  /// Returns at once. Rows are encoded shortly before they are sent, as many as make a request, so
  /// what waits costs no memory here. `shape` is one of the endpoint's format. `done` must not
  /// throw.
  void submit(std::size_t rows, const ItemShape& shape, RowEncoder encode, Completion done);

  /// Requests so far, retries among them.
  std::size_t requests() const;

 private:
  // A batch whose rows from `next` on are not encoded yet.
  struct Work {
    std::shared_ptr<SendQueue::Batch> batch;
    const ItemShape* shape;
    RowEncoder encode;
    std::size_t next;
    std::size_t rows;
  };
  using Lock = std::unique_lock<std::mutex>;

  void run_encoder();
  bool may_encode() const;
  std::vector<SendQueue::Encoded> encode(const Work& work, std::size_t most_bytes) const;
  void send_more();
  void send(Lock& lock);
  bool begin(SendQueue::Group group);
  void take(SendQueue::Group group, HttpOutcome outcome);
  void apply(SendQueue::Group group, HttpOutcome outcome);
  void complete(Lock& lock);

  const Endpoint endpoint_;
  const std::string key_;
  const SendRules rules_;
  const std::shared_ptr<const CancellationToken> cancellation_;
  mutable std::mutex mutex_;
  std::condition_variable encoders_;
  std::deque<Work> work_;     // guarded by mutex_, as all below but the engine
  std::size_t encoding_ = 0;  // parts that encoders work on
  SendQueue queue_;
  std::size_t requests_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
  std::optional<HttpEngine> engine_;  // last: its thread uses all of the above
};

}  // namespace vecframe::providers
