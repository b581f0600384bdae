// A model on a server: where it is, how it is spoken to, and how long it is waited for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "providers/http/http_message.h"
#include "providers/remote/wire_format.h"

namespace vecframe::providers {

/// Without the key, so that it can be shown.
struct Endpoint {
  std::string provider;  ///< "openai"
  const WireFormat* format = nullptr;
  std::string base_url;  ///< without a slash at its end
  std::string model;
  std::int64_t dimension = 0;  ///< of the vectors; 0: any, for the first question
  bool send_dimension = false;
  std::string key_name;  ///< what the user calls the key: "OPENAI_API_KEY" or "api_key"
  std::string ca_file;   ///< as HttpOptions has it
};

struct SendRules {
  int concurrency = 16;  ///< requests at a time, at most
  /// Of one request after failures. Waits for a server that is busy are not counted, but end with
  /// row_deadline.
  int max_retries = 5;
  std::chrono::milliseconds timeout{60'000};  ///< of one request
  std::chrono::milliseconds row_deadline{600'000};
  std::chrono::milliseconds first_wait{500};  ///< doubles with each failure
  std::chrono::milliseconds longest_wait{60'000};
};

/// The body of a request, whose rows stay where they are.
HttpUpload request_body(const Endpoint& endpoint, const ItemShape& shape,
                        const HttpUpload& fragments, bool as_base64);
/// A whole request but for its body; `key` may be empty.
HttpRequest request_to(const Endpoint& endpoint, const std::string& key);

}  // namespace vecframe::providers
