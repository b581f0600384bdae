// Texts as rows, pulled one by one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/row_error.h"

namespace vecframe::storage {

struct TextRow {
  std::string label;  ///< names the row in messages: "queries.txt:17"
  std::string text;   ///< UTF-8, unless `error` is set
  std::optional<RowError> error;
  std::int64_t end = 0;  ///< bytes of the source up to the end of its line
};

class TextSource {
 public:
  virtual ~TextSource() = default;

  enum class Outcome : std::uint8_t {
    kRow,
    kWaiting,  ///< nothing came for as long as the caller wanted to wait
    kEnd,
  };
  /// For one thread at a time. Throws RunError when the source breaks off.
  virtual Outcome next(TextRow& row, std::chrono::milliseconds patience) = 0;
};

/// A longer text is a row that fails.
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;

/// One text a line of a file, or of standard input if `path` is "-". Lines end in LF or CRLF; a
/// final one adds no row, an empty line is an empty text, a byte order mark is dropped. A line that
/// is not UTF-8 (stage read, corrupt) or longer than kMaxTextBytes (over_budget) is a row that
/// fails. Throws RequestError if the file cannot be opened.
std::unique_ptr<TextSource> open_text_lines(const std::string& path);

/// Where a line begins.
struct TextPlace {
  std::int64_t offset = 0;  ///< bytes before it
  std::int64_t line = 0;    ///< lines before it
};
/// The same from there on, of a file.
std::unique_ptr<TextSource> open_text_lines(const std::string& path, TextPlace place);

}  // namespace vecframe::storage
