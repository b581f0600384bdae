#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string>

namespace vecframe::compute {

/// A device has no room for what a stream asked for. Less work at a time may fit: whoever chose the
/// number of rows may take half of them, on a new stream.
class OutOfMemory : public std::bad_alloc {
 public:
  OutOfMemory(const std::string& device, std::size_t bytes)
      : OutOfMemory(device + ": out of memory, " + std::to_string(bytes) + " bytes were asked for",
                    Message()) {}
  explicit OutOfMemory(const std::string& where)
      : OutOfMemory(where + ": out of memory", Message()) {}
  const char* what() const noexcept override { return message_->c_str(); }

 private:
  struct Message {};
  OutOfMemory(const std::string& message, Message /*tag*/)
      : message_(std::make_shared<const std::string>(message)) {}

  std::shared_ptr<const std::string> message_;  // shared, since copying must not throw
};

}  // namespace vecframe::compute
