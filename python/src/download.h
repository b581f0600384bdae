// A library call that may download, seen from the thread that Python's signals reach.
#pragma once

#include <nanobind/nanobind.h>
#include <vecframe/download.h>

#include <functional>

namespace vecframe::python {

/// Runs `work` on a thread of its own, without the interpreter's lock. Meanwhile this thread looks
/// for signals, so that Ctrl-C ends the download as KeyboardInterrupt even while no data come, and
/// calls `on_progress` (may be None) about ten times a second. What `work`, a signal handler or
/// `on_progress` throws comes out after `work` has ended.
void run_download(const nanobind::object& on_progress,
                  const std::function<void(const DownloadOptions&)>& work);

}  // namespace vecframe::python
