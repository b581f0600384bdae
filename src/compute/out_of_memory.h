#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace vecframe::compute {

/// A device has no room for what a stream asked for. Less work at a time may fit: whoever chose the
/// number of rows may take half of them, on a new stream.
class OutOfMemory : public std::runtime_error {
 public:
  OutOfMemory(const std::string& device, std::size_t bytes)
      : std::runtime_error(device + ": out of memory, " + std::to_string(bytes) +
                           " bytes were asked for") {}
  explicit OutOfMemory(const std::string& where) : std::runtime_error(where + ": out of memory") {}
};

}  // namespace vecframe::compute
