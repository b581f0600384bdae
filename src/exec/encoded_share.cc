#include "exec/encoded_share.h"

namespace vecframe::exec {

EncodedShare::Hold& EncodedShare::Hold::operator=(Hold&& other) noexcept {
  if (this != &other) {
    release();
    share_ = std::exchange(other.share_, nullptr);
    bytes_ = other.bytes_;
  }
  return *this;
}

void EncodedShare::Hold::release() {
  if (share_ != nullptr) std::exchange(share_, nullptr)->give_back(bytes_);
}

EncodedShare::Hold EncodedShare::take(std::int64_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return stopped_ || (!alone_ && waiting_alone_ == 0 && held_ + bytes <= capacity_);
  });
  if (stopped_) return {};
  held_ += bytes;
  ++holders_;
  return Hold(this, bytes);
}

EncodedShare::Hold EncodedShare::take_alone(std::int64_t bytes) {
  std::unique_lock lock(mutex_);
  ++waiting_alone_;
  changed_.wait(lock, [&] { return stopped_ || holders_ == 0; });
  --waiting_alone_;
  if (stopped_) return {};
  alone_ = true;
  held_ = bytes;
  holders_ = 1;
  return Hold(this, bytes);
}

void EncodedShare::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

void EncodedShare::give_back(std::int64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    held_ -= bytes;
    --holders_;
    alone_ = false;  // the lone holder is the only one there was
  }
  changed_.notify_all();
}

}  // namespace vecframe::exec
