#include "download.h"

#include <nanobind/stl/string.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "bindings.h"

namespace nb = nanobind;

namespace vecframe::python {
namespace {

constexpr std::chrono::milliseconds kLook{50};

// The call on its thread, which touches nothing of Python.
class DownloadThread {
 public:
  explicit DownloadThread(const std::function<void(const DownloadOptions&)>& work) {
    options_.stop = stop_;
    options_.on_progress = [this](const DownloadProgress& now) {
      std::lock_guard lock(mutex_);
      latest_ = now;
    };
    thread_ = std::thread([this, &work] {
      std::exception_ptr failure;
      try {
        work(options_);
      } catch (...) {
        failure = std::current_exception();
      }
      std::lock_guard lock(mutex_);
      failure_ = std::move(failure);
      ended_ = true;
      changed_.notify_one();
    });
  }
  ~DownloadThread() {
    if (!thread_.joinable()) return;
    stop_.request();
    nb::gil_scoped_release unlocked;
    thread_.join();
  }
  DownloadThread(const DownloadThread&) = delete;
  DownloadThread& operator=(const DownloadThread&) = delete;

  /// True when the call has ended; otherwise `latest` is what was reported since.
  bool wait(std::optional<DownloadProgress>& latest) {
    nb::gil_scoped_release unlocked;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook, [this] { return ended_; });
    latest = std::exchange(latest_, std::nullopt);
    return ended_;
  }

  void finish() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  DownloadOptions options_;
  StopSource stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<DownloadProgress> latest_;  // guarded by mutex_, as what follows
  std::exception_ptr failure_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace

void run_download(const nb::object& on_progress,
                  const std::function<void(const DownloadOptions&)>& work) {
  DownloadThread thread(work);
  std::optional<DownloadProgress> latest;
  while (!thread.wait(latest)) {
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (latest && !on_progress.is_none()) on_progress(*latest);
  }
  thread.finish();
}

void bind_download(nb::module_& module) {
  nb::class_<DownloadProgress>(module, "DownloadProgress", "A snapshot of a download that goes on.")
      .def_ro("model", &DownloadProgress::model)
      .def_ro("file", &DownloadProgress::file, "The file that comes just now.")
      .def_ro("bytes", &DownloadProgress::bytes, "Bytes of all files that are here by now.")
      .def_ro("total", &DownloadProgress::total, "Bytes of all files.")
      .def_ro("received", &DownloadProgress::received, "Bytes that came in this call.")
      .def_ro("seconds", &DownloadProgress::seconds);
}

}  // namespace vecframe::python
