// The two exceptions of the public interface: a request that cannot be carried out, and a run that
// failed.
//
// A bad row (a corrupt image, a file that vanished) is neither: it is a null vector with its cause
// beside it.
#pragma once

#include <vecframe/export.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace vecframe {

/// A wrong request: bad argument, unknown option, missing model. Thrown while the plan is built,
/// before any image is read. what() is one line: argument, value and what to do instead.
class VECFRAME_API RequestError : public std::invalid_argument {
 public:
  explicit RequestError(const std::string& message) : std::invalid_argument(message) {}
};

/// The run itself failed: the output could not be written, or `on_error="raise"` met a bad row. No
/// output is left.
class VECFRAME_API RunError : public std::runtime_error {
 public:
  explicit RunError(const std::string& message) : std::runtime_error(message) {}
};

/// The caller asked for the run to stop (Ctrl-C). No output is left.
class VECFRAME_API Cancelled : public RunError {
 public:
  Cancelled() : RunError("cancelled") {}
};

}  // namespace vecframe
