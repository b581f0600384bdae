// What a server means when it does not send vectors.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "providers/http/http_message.h"

namespace vecframe::providers {

struct Refusal {
  enum class Kind : std::uint8_t {
    kRows,      ///< of something in the request: fewer rows may do, or one is at fault
    kTooLarge,  ///< of the size of the request
    kBase64,    ///< of the wish for base64
    kBusy,      ///< for now, by a limit on the rate
    kFailed,    ///< the server failed; the same request may do later
    kRun,       ///< of the key, the model, the address, the account: no request will do
  };
  Kind kind = Kind::kRows;
  int status = 0;
  std::string message;  ///< one line: "the server answers 400: ..."
  /// Not before.
  std::optional<std::chrono::milliseconds> wait;
};

/// `body` is what the server says beside the status, of which the sentence is shown, without any
/// occurrence of `secret`.
Refusal read_refusal(const HttpResponse& response, std::string_view body, std::string_view secret);

/// One line of at most some 200 bytes: without control characters and `secret`.
std::string shown_message(std::string_view text, std::string_view secret);

}  // namespace vecframe::providers
