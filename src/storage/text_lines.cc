#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "columnar/utf8.h"
#include "storage/file_descriptor.h"
#include "storage/text_source.h"

namespace vecframe::storage {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kBlockBytes = std::size_t{1} << 16;
// A row that failed shows so much of its text.
constexpr std::size_t kShownBytes = 256;

class TextLines final : public TextSource {
 public:
  /// `file` is only held; `descriptor` is read.
  TextLines(std::string name, FileDescriptor file, int descriptor, TextPlace place)
      : name_(std::move(name)),
        file_(std::move(file)),
        descriptor_(descriptor),
        offset_(place.offset),
        number_(place.line) {}

  Outcome next(TextRow& row, std::chrono::milliseconds patience) override {
    for (;;) {
      if (take_line(row)) return Outcome::kRow;
      if (ended_) {
        if (!in_line_) return Outcome::kEnd;
        finish_line(row);
        return Outcome::kRow;
      }
      if (!wait(patience)) return Outcome::kWaiting;
      fill();
    }
  }

 private:
  bool wait(std::chrono::milliseconds patience) const {
    pollfd ready{descriptor_, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(patience.count()));
    return count > 0 || (count < 0 && errno != EINTR);  // of an error read() tells more
  }

  void fill() {
    block_.resize(kBlockBytes);
    position_ = 0;
    const ssize_t count = ::read(descriptor_, block_.data(), block_.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN)
      throw RunError("reading '" + name_ + "': " + std::generic_category().message(errno));
    block_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    ended_ = count == 0;
  }

  // Moves the block's bytes into the line; true, and a row, if the line ended there.
  bool take_line(TextRow& row) {
    if (position_ == block_.size()) return false;
    const auto begin = block_.begin() + static_cast<std::ptrdiff_t>(position_);
    const auto end = std::find(begin, block_.end(), '\n');
    // One byte above the limit shows that the line is too long, and one is for a CR.
    const std::size_t room = kMaxTextBytes + 2 + kByteOrderMark.size() - line_.size();
    const auto length = static_cast<std::size_t>(end - begin);
    line_.append(begin, begin + static_cast<std::ptrdiff_t>(std::min(length, room)));
    in_line_ = true;
    position_ += length;
    offset_ += static_cast<std::int64_t>(length);
    if (end == block_.end()) return false;
    ++position_;
    ++offset_;
    if (line_.ends_with('\r')) line_.pop_back();
    finish_line(row);
    return true;
  }

  void finish_line(TextRow& row) {
    ++number_;
    if (number_ == 1 && line_.starts_with(kByteOrderMark)) line_.erase(0, kByteOrderMark.size());
    row.label = name_ + ":" + std::to_string(number_);
    row.end = offset_;
    row.text = std::move(line_);
    row.error.reset();
    line_.clear();
    in_line_ = false;
    if (row.text.size() > kMaxTextBytes) {
      row.error = RowError{Stage::kRead, ErrorCode::kOverBudget,
                           "the line is longer than " + std::to_string(kMaxTextBytes) + " bytes"};
    } else if (!columnar::is_valid_utf8(row.text)) {
      row.error = RowError{Stage::kRead, ErrorCode::kCorrupt, "the line is not UTF-8"};
    }
    if (row.error) row.text.resize(std::min(row.text.size(), kShownBytes));
  }

  const std::string name_;
  const FileDescriptor file_;
  const int descriptor_;
  std::vector<char> block_;
  std::size_t position_ = 0;  // of what is not taken yet
  std::string line_;          // as far as it has come
  bool in_line_ = false;
  bool ended_ = false;
  std::int64_t offset_;  // of what was taken
  std::int64_t number_;  // of the last line
};

}  // namespace

std::unique_ptr<TextSource> open_text_lines(const std::string& path) {
  return open_text_lines(path, TextPlace());
}

std::unique_ptr<TextSource> open_text_lines(const std::string& path, TextPlace place) {
  if (path == "-") {
    return std::make_unique<TextLines>("standard input", FileDescriptor(), STDIN_FILENO,
                                       TextPlace());
  }
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0)
    throw RequestError("text: '" + path + "' cannot be read (" +
                       std::generic_category().message(errno) +
                       "); give a file of one text a line, or - for standard input");
  if (S_ISDIR(facts.st_mode))
    throw RequestError("text: '" + path +
                       "' is a directory; give a file of one text a line, or - for standard input");
  const int descriptor = file.get();
  if (place.offset > 0 && ::lseek(descriptor, place.offset, SEEK_SET) < 0)
    throw RunError("reading '" + path + "': " + std::generic_category().message(errno));
  return std::make_unique<TextLines>(path, std::move(file), descriptor, place);
}

}  // namespace vecframe::storage
