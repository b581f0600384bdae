#include "providers/remote/refusal.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/shown_text.h"
#include "providers/http/retry_hint.h"
#include "providers/http/url.h"

namespace vecframe::providers {
namespace {

using nlohmann::json;

// What an error answer says, wherever it says it.
struct Said {
  std::string message, code, type, parameter;

  bool any_is(std::string_view word) const { return code == word || type == word; }
};

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  return {};
}

std::string member(const json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() ? std::string() : text_of(*it);
}

// {"error": {"message", "code", "type", "param"}} of OpenAI and who follows it, {"error": "..."},
// {"message": "..."}, {"detail": "..."} and {"detail": [{"msg", "loc"}]} of FastAPI.
Said read_error(std::string_view body) {
  Said said;
  const json document = json::parse(body.begin(), body.end(), nullptr, false);
  if (!document.is_object()) return said;
  const auto error = document.find("error");
  const json& object = error != document.end() && error->is_object() ? *error : document;
  said.message = member(object, "message");
  said.code = member(object, "code");
  said.type = member(object, "type");
  said.parameter = member(object, "param");
  if (said.message.empty() && error != document.end()) said.message = text_of(*error);
  if (const auto detail = document.find("detail");
      said.message.empty() && detail != document.end()) {
    said.message = text_of(*detail);
    if (detail->is_array() && !detail->empty() && detail->front().is_object()) {
      said.message = member(detail->front(), "msg");
      if (const auto place = detail->front().find("loc");
          place != detail->front().end() && place->is_array() && !place->empty()) {
        said.parameter = text_of(place->back());
        said.message += " (" + said.parameter + ")";
      }
    }
  }
  return said;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

bool quota_is_used_up(const Said& said) {
  constexpr std::array codes{"insufficient_quota", "billing_hard_limit_reached",
                             "insufficient_balance", "account_deactivated"};
  if (std::any_of(codes.begin(), codes.end(), [&](const char* code) { return said.any_is(code); }))
    return true;
  return contains(lower(said.message), "exceeded your current quota");
}

// Whether a 400 or 422 is for the whole run: of the key, the model or the dimension, not of rows.
bool is_of_the_run(const Said& said) {
  constexpr std::array codes{"model_not_found", "invalid_api_key", "model_not_available",
                             "unsupported_model"};
  if (std::any_of(codes.begin(), codes.end(), [&](const char* code) { return said.any_is(code); }))
    return true;
  if (said.parameter == "model" || said.parameter == "dimensions") return true;
  const std::string message = lower(said.message);
  if (!contains(message, "model")) return contains(message, "matryoshka");
  constexpr std::array words{"does not exist", "not found",        "unknown model",
                             "invalid model",  "not supported by", "does not support",
                             "matryoshka"};
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return contains(message, word); });
}

Refusal::Kind kind_of(int status, const Said& said) {
  using Kind = Refusal::Kind;
  if (status == 429) return quota_is_used_up(said) ? Kind::kRun : Kind::kBusy;
  if (status == 408 || status == 409 || status == 425) return Kind::kFailed;
  if (status >= 500) return status == 501 || status == 505 ? Kind::kRun : Kind::kFailed;
  if (status == 413) return Kind::kTooLarge;
  if (status >= 300 && status < 400) return Kind::kRun;
  if (status >= 401 && status <= 407) return Kind::kRun;
  if (status == 410 || status == 426 || status == 451) return Kind::kRun;
  if (said.parameter == "encoding_format" || contains(said.message, "encoding_format"))
    return Kind::kBase64;
  return is_of_the_run(said) ? Kind::kRun : Kind::kRows;
}

}  // namespace

std::string shown_message(std::string_view text, std::string_view secret) {
  std::string line(text);
  if (!secret.empty()) {
    for (std::size_t at = 0; (at = line.find(secret, at)) != std::string::npos; at += 3)
      line.replace(at, secret.size(), "***");
  }
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  return shown_text(line);
}

Refusal read_refusal(const HttpResponse& response, std::string_view body, std::string_view secret) {
  const Said said = read_error(body);
  Refusal refusal;
  refusal.status = response.status;
  // An error inside of a success says its status itself, if anything does.
  if (refusal.status / 100 == 2) {
    refusal.status = 400;
    if (said.code.size() == 3 && std::isdigit(static_cast<unsigned char>(said.code[0])) != 0 &&
        said.code[0] >= '4')
      refusal.status = std::atoi(said.code.c_str());
  }
  refusal.kind = kind_of(refusal.status, said);
  if (refusal.kind == Refusal::Kind::kBusy || refusal.kind == Refusal::Kind::kFailed)
    refusal.wait = retry_hint(response, said.message);
  refusal.message = fmt::format("the server answers {}", refusal.status);
  if (refusal.status / 100 == 3) {
    refusal.message += " and points to " + shown_url(response.header("location"));
  } else if (!said.message.empty()) {
    refusal.message += ": " + shown_message(said.message, secret);
  } else if (!said.code.empty()) {
    refusal.message += ": " + shown_message(said.code, secret);
  }
  return refusal;
}

}  // namespace vecframe::providers
