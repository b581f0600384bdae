#include "base/row_error.h"

namespace vecframe {

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::kList:
      return "list";
    case Stage::kRead:
      return "read";
    case Stage::kDecode:
      return "decode";
    case Stage::kPrepare:
      return "prepare";
    case Stage::kEmbed:
      return "embed";
  }
  return "unknown";
}

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kPermissionDenied:
      return "permission_denied";
    case ErrorCode::kIoError:
      return "io_error";
    case ErrorCode::kEmpty:
      return "empty";
    case ErrorCode::kUnknownFormat:
      return "unknown_format";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kTruncated:
      return "truncated";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kTooManyPixels:
      return "too_many_pixels";
    case ErrorCode::kOverBudget:
      return "over_budget";
    case ErrorCode::kBadOutput:
      return "bad_output";
    case ErrorCode::kEmbedderFailed:
      return "embedder_failed";
  }
  return "unknown";
}

std::string RowError::to_string() const {
  std::string text(vecframe::to_string(stage));
  text += '/';
  text += vecframe::to_string(code);
  text += ": ";
  text += message;
  return text;
}

}  // namespace vecframe
