// Why one row has no vector. A value, never an exception: the other rows of its batch go on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vecframe {

/// Where in the chain the row failed; the first part of the text in the `error` column.
enum class Stage : std::uint8_t { kList, kRead, kDecode, kPrepare, kEmbed };

/// What went wrong; the second part of that text, and the key by which the report counts.
enum class ErrorCode : std::uint8_t {
  kNotFound,          ///< no such file
  kPermissionDenied,  ///< the operating system refused to open it
  kIoError,           ///< any other failure of a read
  kEmpty,             ///< zero bytes
  kUnknownFormat,     ///< no codec knows these bytes
  kUnsupported,       ///< the format is known, this variant of it is not supported
  kTruncated,         ///< the data end before the picture does
  kCorrupt,           ///< the data contradict their format
  kTooManyPixels,     ///< the header claims more pixels than the limit
  kOverBudget,        ///< this row alone needs more memory than the whole run may use
  kBadOutput,         ///< the embedder returned NaN, an infinity or a wrong dimension
  kEmbedderFailed,    ///< the embedder refused this row
};

std::string_view to_string(Stage stage);
std::string_view to_string(ErrorCode code);

struct RowError {
  Stage stage;
  ErrorCode code;
  std::string message;

  /// `stage/code: message`, as the `error` column shows it.
  std::string to_string() const;
};

}  // namespace vecframe
