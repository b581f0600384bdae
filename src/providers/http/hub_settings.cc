#include "providers/http/hub_settings.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "providers/http/url.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPublicHub = "https://huggingface.co";
constexpr std::size_t kMaxTokenBytes = 4096;

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

fs::path home() { return environment("HOME").value_or("/"); }

// As a shell expands it: these variables often stand in files that no shell reads.
fs::path expand(const std::string& path) {
  if (path == "~") return home();
  if (path.starts_with("~/")) return home() / path.substr(2);
  return path;
}

fs::path hub_home() {
  if (auto path = environment("HF_HOME")) return expand(*path);
  if (auto path = environment("XDG_CACHE_HOME")) return expand(*path) / "huggingface";
  return home() / ".cache" / "huggingface";
}

bool is_true(const char* name) {
  std::string value = environment(name).value_or("");
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::string first_word(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string read_token() {
  if (auto token = environment("HF_TOKEN")) return first_word(*token);
  if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return {};
  const auto named = environment("HF_TOKEN_PATH");
  std::ifstream file(named ? expand(*named) : hub_home() / "token", std::ios::binary);
  std::string token(kMaxTokenBytes, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(file.gcount()));
  return first_word(token);
}

}  // namespace

fs::path hub_cache_directory() {
  if (auto path = environment("HF_HUB_CACHE")) return expand(*path);
  return hub_home() / "hub";
}

HubSettings HubSettings::from_environment() {
  HubSettings settings;
  settings.endpoint = environment("HF_ENDPOINT").value_or(kPublicHub);
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!origin_of(settings.endpoint))
    throw RequestError(
        fmt::format("HF_ENDPOINT: '{}' is not an http or https URL; unset it, or "
                    "give one like {}",
                    shown_url(settings.endpoint), kPublicHub));
  settings.cache = hub_cache_directory();
  settings.token = read_token();
  // A line break in a header would be a header more.
  const bool clean = std::all_of(settings.token.begin(), settings.token.end(),
                                 [](unsigned char c) { return c > 32 && c < 127; });
  if (!clean || settings.token.size() >= kMaxTokenBytes)
    throw RequestError("HF_TOKEN (or the token file) is not one word of ASCII; set it anew");
  settings.offline = is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE");
  settings.ca_file = environment("SSL_CERT_FILE").value_or("");
  return settings;
}

}  // namespace vecframe::providers
