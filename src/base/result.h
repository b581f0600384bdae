// A value or the RowError that stands in its place.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/row_error.h"

namespace vecframe {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::move(value)) {}  // NOLINT: implicit, so that `return value;` reads well
  Result(RowError error) : state_(std::move(error)) {}  // NOLINT: likewise
  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Only when ok().
  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Only when not ok().
  RowError& error() & { return *std::get_if<1>(&state_); }
  const RowError& error() const& { return *std::get_if<1>(&state_); }
  RowError&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, RowError> state_;
};

/// The result of something that makes no value.
struct Done {};
using Status = Result<Done>;

}  // namespace vecframe
