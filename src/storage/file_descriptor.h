// An open file that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace vecframe::storage {

class FileDescriptor {
 public:
  explicit FileDescriptor(int value = -1) : value_(value) {}
  ~FileDescriptor() {
    if (value_ >= 0) ::close(value_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

}  // namespace vecframe::storage
