// Records of a fixed size, sorted with a bounded amount of memory.
//
// Records are gathered in memory; a full buffer is sorted and put aside in a scratch file, and at
// the end all of them are merged into one sorted file. What fits into one buffer never leaves
// memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "storage/scratch_file.h"

namespace vecframe::job {

/// `Record` is copied as bytes and ordered by <. Not thread-safe. Throws RunError as ScratchFile.
template <class Record>
class DiskSort {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  static constexpr std::size_t kBufferBytes = std::size_t{4} << 20;

  explicit DiskSort(std::string directory, std::size_t buffer_bytes = kBufferBytes)
      : directory_(std::move(directory)),
        capacity_(std::max<std::size_t>(1, buffer_bytes / sizeof(Record))) {}

  /// Before sort().
  void add(const Record& record) {
    if (buffer_.size() == capacity_) put_aside();
    buffer_.push_back(record);
    ++size_;
  }

  void sort() {
    std::sort(buffer_.begin(), buffer_.end());
    if (runs_.empty()) return;
    put_aside();
    buffer_ = {};
    merge();
  }

  std::int64_t size() const { return size_; }

  /// Records [first, first + count) in order, after sort().
  void read(std::int64_t first, std::size_t count, std::vector<Record>& out) const {
    out.resize(count);
    if (!sorted_) {
      std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(first), count, out.begin());
    } else {
      sorted_->read(first * static_cast<std::int64_t>(sizeof(Record)), out.data(),
                    count * sizeof(Record));
    }
  }

  /// Reads the sorted records one after the other.
  class Cursor {
   public:
    explicit Cursor(const DiskSort& records) : records_(&records) {}
    /// Null at the end; valid until the next call.
    const Record* next() {
      const Record* record = peek();
      if (record != nullptr) ++position_;
      return record;
    }
    const Record* peek() {
      if (position_ == block_.size()) {
        first_ += static_cast<std::int64_t>(block_.size());
        const auto count = std::min<std::int64_t>(kBlock, records_->size() - first_);
        records_->read(first_, static_cast<std::size_t>(count), block_);
        position_ = 0;
        if (block_.empty()) return nullptr;
      }
      return &block_[position_];
    }

   private:
    static constexpr std::int64_t kBlock = 1024;
    const DiskSort* records_;
    std::vector<Record> block_;
    std::int64_t first_ = 0;
    std::size_t position_ = 0;
  };

 private:
  struct Run {
    std::int64_t offset, end;  // bytes of what is not read yet
    std::vector<Record> block;
    std::size_t position = 0;
  };

  void put_aside() {
    std::sort(buffer_.begin(), buffer_.end());
    if (!file_) file_ = std::make_unique<storage::ScratchFile>(directory_);
    const std::int64_t begin = file_->size();
    file_->append(buffer_.data(), buffer_.size() * sizeof(Record));
    runs_.push_back({begin, file_->size(), {}, 0});
    buffer_.clear();
  }

  bool fill(Run& run, std::size_t records) const {
    if (run.position < run.block.size()) return true;
    const auto bytes = std::min<std::int64_t>(run.end - run.offset,
                                              static_cast<std::int64_t>(records * sizeof(Record)));
    run.block.resize(static_cast<std::size_t>(bytes) / sizeof(Record));
    run.position = 0;
    if (bytes == 0) return false;
    file_->read(run.offset, run.block.data(), static_cast<std::size_t>(bytes));
    run.offset += bytes;
    return true;
  }

  void merge() {
    sorted_ = std::make_unique<storage::ScratchFile>(directory_);
    const std::size_t share = std::max<std::size_t>(64, capacity_ / (runs_.size() + 1));
    std::vector<Run*> heap;
    const auto later = [](const Run* a, const Run* b) {
      return b->block[b->position] < a->block[a->position];
    };
    for (Run& run : runs_)
      if (fill(run, share)) heap.push_back(&run);
    std::make_heap(heap.begin(), heap.end(), later);
    std::vector<Record> out;
    out.reserve(share);
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), later);
      Run& run = *heap.back();
      out.push_back(run.block[run.position++]);
      if (out.size() == share) {
        sorted_->append(out.data(), out.size() * sizeof(Record));
        out.clear();
      }
      if (fill(run, share)) {
        std::push_heap(heap.begin(), heap.end(), later);
      } else {
        heap.pop_back();
      }
    }
    sorted_->append(out.data(), out.size() * sizeof(Record));
    file_.reset();
    runs_.clear();
  }

  const std::string directory_;
  const std::size_t capacity_;  // records
  std::vector<Record> buffer_;
  std::int64_t size_ = 0;
  std::unique_ptr<storage::ScratchFile> file_, sorted_;
  std::vector<Run> runs_;
};

}  // namespace vecframe::job
