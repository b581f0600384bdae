// Words of a run as Python has them: callables as its callbacks, stages by name.
#pragma once

#include <nanobind/nanobind.h>
#include <vecframe/run.h>

#include <cstdint>
#include <map>
#include <string>

namespace vecframe::python {

using StageCounts = std::map<std::string, std::int64_t>;
/// Throws RequestError as Stages::set().
Stages stages_of(const StageCounts& counts);

/// Holds the callables while a run goes on, so that the library's copies of its callbacks hold only
/// a pointer and need no lock of the interpreter. Must outlive the run.
class RunCallbacks {
 public:
  /// Either may be None.
  RunCallbacks(nanobind::object on_progress, nanobind::object on_failure);
  RunCallbacks(const RunCallbacks&) = delete;
  RunCallbacks& operator=(const RunCallbacks&) = delete;

  /// Puts the callbacks into `options`. The progress callback also looks for signals, so that
  /// Ctrl-C ends the run as KeyboardInterrupt. What a callable raises ends the run and reaches its
  /// caller.
  void attach(RunOptions& options) const;

 private:
  void on_progress(const Progress& progress) const;
  void on_failure(const Failure& failure) const;

  nanobind::object on_progress_;
  nanobind::object on_failure_;
};

}  // namespace vecframe::python
