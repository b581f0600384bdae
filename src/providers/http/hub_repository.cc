#include "providers/http/hub_repository.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "providers/http/url.h"

namespace vecframe::providers {
namespace {

constexpr std::size_t kMaxAnswerBytes = 16 << 20;  // file lists of the largest repositories
constexpr std::size_t kMaxFiles = 100'000;         // likewise

bool is_commit(const std::string& text) {
  return text.size() == 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// W/"abc" and "abc" mean abc.
std::string bare_etag(std::string etag) {
  if (etag.starts_with("W/")) etag.erase(0, 2);
  std::erase(etag, '"');
  return etag;
}

std::optional<std::int64_t> parse_size(const std::string& text) {
  std::int64_t size = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, size);
  if (text.empty() || error != std::errc() || stop != end || size < 0) return {};
  return size;
}

HttpOptions http_options(const HubSettings& settings, const HubOptions& options) {
  HttpOptions http = options.http;
  if (http.ca_file.empty()) http.ca_file = settings.ca_file;
  return http;
}

}  // namespace

HubRevision parse_revision(const std::string& json) {
  const auto broken = [](const char* why) {
    return HubError(HubError::Kind::kBroken, fmt::format("the hub's answer {}", why));
  };
  const nlohmann::json answer = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) throw broken("is not a JSON object; check HF_ENDPOINT and proxies");
  const auto commit = answer.find("sha");
  if (commit == answer.end() || !commit->is_string() || !is_commit(commit->get<std::string>()))
    throw broken("names no commit");
  HubRevision revision{commit->get<std::string>(), {}};
  const auto files = answer.find("siblings");
  if (files == answer.end() || !files->is_array()) throw broken("lists no files");
  if (files->size() > kMaxFiles) throw broken("lists too many files");
  for (const nlohmann::json& file : *files) {
    if (!file.is_object()) continue;
    const auto name = file.find("rfilename");
    if (name != file.end() && name->is_string()) revision.files.push_back(name->get<std::string>());
  }
  return revision;
}

HubFileChoice choose_usable_files(const HubRevision& revision) {
  HubFileChoice choice = choose_files(revision.files);
  const auto has = [&](std::string_view name) {
    return std::find(choice.small.begin(), choice.small.end(), name) != choice.small.end();
  };
  if (choice.only_pickles)
    throw HubError(HubError::Kind::kUnusable,
                   "its weights on the hub are pickles, which are programs and are not read; "
                   "take a revision with safetensors (often @refs/pr/N)");
  if (choice.weights.empty() || (!has(kConfigName) && !has(kOpenClipConfigName)))
    throw HubError(
        HubError::Kind::kUnusable,
        fmt::format("its repository on the hub has no {} with safetensors", kConfigName));
  return choice;
}

HubRepository::HubRepository(const HubId& id, const HubSettings& settings,
                             const HubOptions& options)
    : id_(id),
      settings_(settings),
      options_(options),
      client_(http_options(settings, options), options.cancellation) {}

HubRevision HubRepository::ask_revision() {
  HttpRequest request;
  request.url = fmt::format("{}/api/models/{}/revision/{}", settings_.endpoint,
                            percent_encode(id_.name, "/"), percent_encode(id_.revision));
  request.token = settings_.token;
  std::string answer;
  const HttpResponse response = with_retries(options_.retry, options_.cancellation, [&] {
    return client_.exchange_text(request, kMaxAnswerBytes, answer);
  });
  check(response);
  return parse_revision(answer);
}

BlobSource HubRepository::ask_file(const std::string& commit, const std::string& name) {
  HttpRequest request;
  request.method = HttpRequest::Method::kHead;
  request.url = file_url(commit, name);
  request.token = settings_.token;
  request.follow_to_other_origins = false;
  const HttpResponse response = with_retries(options_.retry, options_.cancellation,
                                             [&] { return client_.exchange(request); });
  if (!response.is_redirect()) check(response);
  const std::string said = response.header("x-repo-commit");
  if (said != commit)
    throw HubError(
        HubError::Kind::kBroken,
        fmt::format("{} does not answer as a hub does for {} (x-repo-commit is {}); "
                    "check HF_ENDPOINT and proxies",
                    shown_url(settings_.endpoint), name, said.empty() ? "missing" : "another"));
  BlobSource source;
  source.name = name;
  source.url = request.url;
  source.token = settings_.token;
  source.etag = bare_etag(response.header("x-linked-etag"));
  if (source.etag.empty()) source.etag = bare_etag(response.header("etag"));
  std::optional<std::int64_t> size = parse_size(response.header("x-linked-size"));
  // The length of a redirect's own body says nothing of the file.
  if (!size && !response.is_redirect()) size = parse_size(response.header("content-length"));
  const bool checksum = (source.etag.size() == 40 || source.etag.size() == 64) &&
                        source.etag.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!size || !checksum)
    throw HubError(
        HubError::Kind::kBroken,
        fmt::format("{} does not tell {} of {}, so nothing could be verified",
                    shown_url(settings_.endpoint), size ? "the checksum" : "the size", name));
  source.size = *size;
  return source;
}

std::string HubRepository::file_url(const std::string& commit, const std::string& name) const {
  return fmt::format("{}/{}/resolve/{}/{}", settings_.endpoint, percent_encode(id_.name, "/"),
                     commit, percent_encode(name));
}

// Turns a status other than 2xx into what it means on a hub. Source of the codes:
// huggingface_hub, hf_raise_for_status.
void HubRepository::check(const HttpResponse& response) const {
  using Kind = HubError::Kind;
  const int status = response.status;
  if (status >= 200 && status < 300) return;
  const std::string host = shown_url(settings_.endpoint);
  const std::string code = response.header("x-error-code");
  const std::string page = fmt::format("{}/{}", host, id_.name);
  const bool has_token = !settings_.token.empty();
  if (code == "RevisionNotFound")
    throw HubError(Kind::kNoRevision,
                   fmt::format("{} has no revision '{}' of it; see {}", host, id_.revision, page));
  if (code == "GatedRepo" || status == 403)
    throw HubError(Kind::kForbidden,
                   fmt::format("{} keeps it behind terms: accept them at {}, and set HF_TOKEN{}",
                               host, page, has_token ? " to a token that may read it" : ""));
  if (status == 404 || code == "RepoNotFound" || (status == 401 && !has_token))
    throw HubError(Kind::kNotFound,
                   fmt::format("{} shows no such model{}", host,
                               has_token ? "" : "; if it is private, set HF_TOKEN"));
  if (status == 401)
    throw HubError(Kind::kForbidden, fmt::format("{} refuses the token: set HF_TOKEN anew", host));
  throw HubError(Kind::kBroken, fmt::format("{} answers with status {}", host, status));
}

HubError HubRepository::explain(const HttpError& error) const {
  const std::string host = shown_url(settings_.endpoint);
  if (error.kind() == HttpError::Kind::kProtocol)
    return {HubError::Kind::kBroken, fmt::format("the hub's answer is wrong: {}", error.what())};
  return {HubError::Kind::kUnreachable,
          fmt::format("{} cannot be reached ({}); check the network, HF_ENDPOINT and proxies", host,
                      error.what())};
}

}  // namespace vecframe::providers
