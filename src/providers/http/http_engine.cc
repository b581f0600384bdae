#include "providers/http/http_engine.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "providers/http/http_transfer.h"

namespace vecframe::providers {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPoll{100};  // how late a cancellation may be noticed
constexpr std::size_t kMaxRefusal = 64 << 10;

// Ends the reading of a refusal of which enough has come.
struct Enough {};

class Body final : public HttpBody {
 public:
  explicit Body(std::size_t max_body) : max_body_(max_body) {}
  void begin(const HttpResponse& response) override {
    response_ = response;
    refusal_ = response.status / 100 != 2;
  }
  void write(std::span<const std::byte> bytes) override {
    const std::size_t most = refusal_ ? kMaxRefusal : max_body_;
    const std::size_t room = most - text_.size();
    if (bytes.size() > room && !refusal_)
      throw HttpError(HttpError::Kind::kProtocol,
                      fmt::format("the answer is longer than {} bytes", max_body_));
    text_.append(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), room));
    if (bytes.size() > room) throw Enough();
  }
  HttpResponse& response() { return response_; }
  std::string& text() { return text_; }

 private:
  std::size_t max_body_;
  bool refusal_ = false;
  HttpResponse response_;
  std::string text_;
};

struct Exchange {
  HttpRequest request;
  HttpEngine::Completion done;
  Body body;
  std::unique_ptr<HttpTransfer> transfer;

  Exchange(HttpRequest asked, std::size_t max_body, HttpEngine::Completion completion)
      : request(std::move(asked)), done(std::move(completion)), body(max_body) {}
};

HttpOutcome failed(const std::string& message) {
  HttpOutcome outcome;
  outcome.error.emplace(HttpError::Kind::kNetwork, message);
  return outcome;
}

HttpOutcome cancelled() {
  HttpOutcome outcome;
  outcome.cancelled = true;
  return outcome;
}

HttpOutcome outcome_of(Exchange& exchange, CURLcode code) {
  HttpOutcome outcome;
  try {
    outcome.response = exchange.transfer->finish(code);
    outcome.body = std::move(exchange.body.text());
  } catch (const Enough&) {
    outcome.response = std::move(exchange.body.response());
    outcome.body = std::move(exchange.body.text());
  } catch (const HttpError& error) {
    outcome.error = error;
  } catch (const std::exception& error) {
    outcome = failed(error.what());
  }
  return outcome;
}

}  // namespace

struct HttpEngine::Loop {
  Loop(HttpEngineOptions given, const CancellationToken* token, std::function<void()> tick)
      : options(std::move(given)), cancellation(token), on_time(std::move(tick)) {
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_HOST_CONNECTIONS, options.connections_per_host);
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, options.connections_per_host);
    curl_multi_setopt(multi.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  }

  // The thread.
  void run() {
    while (!stopping()) {
      begin_waiting();
      if (cancellation != nullptr && cancellation->cancelled()) tell_cancelled();
      int running = 0;
      CURLMcode code = curl_multi_perform(multi.get(), &running);
      finish_done();
      tell_time();
      if (code == CURLM_OK)
        code = curl_multi_poll(multi.get(), nullptr, 0, static_cast<int>(time_left().count()),
                               nullptr);
      if (code != CURLM_OK) fail_all(fmt::format("libcurl: {}", curl_multi_strerror(code)));
    }
    end_all();
  }

  bool stopping() {
    std::lock_guard lock(mutex);
    return stop;
  }

  void begin_waiting() {
    std::deque<std::unique_ptr<Exchange>> taken;
    {
      std::lock_guard lock(mutex);
      taken.swap(waiting);
    }
    for (auto& exchange : taken) {
      try {
        exchange->transfer = std::make_unique<HttpTransfer>(
            options.http, exchange->request, exchange->request.url, true, &exchange->body);
        CURL* easy = exchange->transfer->easy();
        set_http11(easy);
        if (curl_multi_add_handle(multi.get(), easy) != CURLM_OK) throw std::bad_alloc();
        active.emplace(easy, std::move(exchange));
      } catch (const std::exception& error) {
        complete(std::move(exchange), failed(error.what()));
      }
    }
  }

  static void set_http11(CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  }

  void finish_done() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      std::unique_ptr<Exchange> exchange = take(message->easy_handle);
      HttpOutcome outcome = outcome_of(*exchange, code);
      complete(std::move(exchange), std::move(outcome));
    }
  }

  std::unique_ptr<Exchange> take(CURL* easy) {
    curl_multi_remove_handle(multi.get(), easy);
    const auto at = active.find(easy);
    std::unique_ptr<Exchange> exchange = std::move(at->second);
    active.erase(at);
    return exchange;
  }

  // Its place is free before the completion runs, which may take it again.
  void complete(std::unique_ptr<Exchange> exchange, HttpOutcome outcome) {
    const Completion done = std::move(exchange->done);
    exchange.reset();
    {
      std::lock_guard lock(mutex);
      --held;
    }
    done(std::move(outcome));
  }

  void end_all() {
    begin_nothing(cancelled());
    while (!active.empty()) complete(take(active.begin()->first), cancelled());
  }

  void tell_cancelled() {
    end_all();
    if (std::exchange(told_cancelled, true)) return;
    if (on_time) on_time();
  }

  void fail_all(const std::string& message) {
    while (!active.empty()) complete(take(active.begin()->first), failed(message));
  }

  void begin_nothing(const HttpOutcome& outcome) {
    std::deque<std::unique_ptr<Exchange>> taken;
    {
      std::lock_guard lock(mutex);
      taken.swap(waiting);
    }
    for (auto& exchange : taken) complete(std::move(exchange), outcome);
  }

  void tell_time() {
    {
      std::lock_guard lock(mutex);
      if (!wake || Clock::now() < *wake) return;
      wake.reset();
    }
    if (on_time) on_time();
  }

  milliseconds time_left() {
    std::lock_guard lock(mutex);
    if (!waiting.empty() || stop) return milliseconds(0);
    if (!wake) return kPoll;
    const auto left = std::chrono::ceil<milliseconds>(*wake - Clock::now());
    return std::clamp(left, milliseconds(0), kPoll);
  }

  const HttpEngineOptions options;
  const CancellationToken* const cancellation;
  const std::function<void()> on_time;
  MultiHandle multi = make_multi();
  std::map<CURL*, std::unique_ptr<Exchange>> active;  // the thread's own
  bool told_cancelled = false;                        // likewise
  std::mutex mutex;
  std::deque<std::unique_ptr<Exchange>> waiting;  // guarded by mutex
  std::size_t held = 0;                           // guarded by mutex: waiting and active
  std::optional<Clock::time_point> wake;          // guarded by mutex
  bool stop = false;                              // guarded by mutex
  std::thread thread;
};

HttpEngine::HttpEngine(HttpEngineOptions options, const CancellationToken* cancellation,
                       std::function<void()> on_time)
    : loop_(std::make_unique<Loop>(std::move(options), cancellation, std::move(on_time))) {
  loop_->thread = std::thread([loop = loop_.get()] { loop->run(); });
}

HttpEngine::~HttpEngine() {
  {
    std::lock_guard lock(loop_->mutex);
    loop_->stop = true;
  }
  curl_multi_wakeup(loop_->multi.get());
  loop_->thread.join();
}

bool HttpEngine::submit(HttpRequest request, std::size_t max_body, Completion done) {
  request.any_status = true;
  auto exchange = std::make_unique<Exchange>(std::move(request), max_body, std::move(done));
  {
    std::lock_guard lock(loop_->mutex);
    if (loop_->stop || loop_->held >= loop_->options.capacity) return false;
    ++loop_->held;
    loop_->waiting.push_back(std::move(exchange));
  }
  curl_multi_wakeup(loop_->multi.get());
  return true;
}

void HttpEngine::wake_at(Clock::time_point time) {
  {
    std::lock_guard lock(loop_->mutex);
    if (loop_->wake && *loop_->wake <= time) return;
    loop_->wake = time;
  }
  curl_multi_wakeup(loop_->multi.get());
}

}  // namespace vecframe::providers
