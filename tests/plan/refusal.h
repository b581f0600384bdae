// What a wrong request is told.
#pragma once

#include <vecframe/error.h>

#include <functional>
#include <string>

namespace vecframe::plan {

/// The message of the RequestError that `action` throws.
inline std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const RequestError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace vecframe::plan
