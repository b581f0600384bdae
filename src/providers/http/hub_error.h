// Why a hub's model cannot be had.
#pragma once

#include <vecframe/error.h>

#include <cstdint>
#include <string>

namespace vecframe::providers {

/// what() is a clause that goes on after "model 'x' is not in the local cache and": the session
/// adds the model and the way out.
class HubError : public RequestError {
 public:
  enum class Kind : std::uint8_t {
    kOffline,      ///< the environment forbids the network
    kUnreachable,  ///< nobody answers, or not now
    kNotFound,     ///< no such model, or none that may be seen without a token
    kNoRevision,   ///< the model has no such revision
    kForbidden,    ///< the token is missing, wrong, or not allowed this model
    kUnusable,     ///< the repository holds nothing this library reads
    kBroken,       ///< the answers contradict themselves, checksums included
    kStorage,      ///< the cache cannot be written
  };

  HubError(Kind kind, const std::string& message) : RequestError(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace vecframe::providers
