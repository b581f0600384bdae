// What a client must know of a URL: who is asked, where a redirect leads, and what may be shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vecframe::providers {

/// Who answers a URL. A secret for one origin is none of another's business.
struct Origin {
  std::string scheme;  ///< http or https
  std::string host;    ///< lower case
  std::string port;    ///< the scheme's own where the URL names none
  bool operator==(const Origin&) const = default;
};

/// Nothing if `url` is not an http or https URL.
std::optional<Origin> origin_of(const std::string& url);
/// Where a Location header leads that came as the answer to `base`; nothing if it is no http or
/// https URL.
std::optional<std::string> resolve_url(const std::string& base, const std::string& location);
/// scheme://host[:port]/path: queries carry signatures and user parts carry passwords, so neither
/// may reach a message.
std::string shown_url(const std::string& url);
/// RFC 3986: everything but unreserved characters and those in `keep` becomes %XX.
std::string percent_encode(std::string_view text, std::string_view keep = "");

}  // namespace vecframe::providers
