#include "providers/remote/openai_provider.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "providers/http/url.h"
#include "providers/remote/known_models.h"

namespace vecframe::providers {
namespace {

constexpr const char* kKeyVariable = "OPENAI_API_KEY";
constexpr const char* kUrlVariable = "OPENAI_BASE_URL";
constexpr const char* kOwnUrl = "https://api.openai.com/v1";
constexpr const char* kOwnHost = "api.openai.com";
constexpr int kProbeRetries = 1;
constexpr std::int64_t kMostOfAnything = 4096;  // the caller refuses what is out of range

template <class T>
std::optional<T> option(const OptionValues& options, const std::string& name) {
  const auto it = options.find(name);
  if (it == options.end() || std::holds_alternative<std::monostate>(it->second)) return {};
  if constexpr (std::is_same_v<T, double>) {
    if (const auto* whole = std::get_if<std::int64_t>(&it->second))
      return static_cast<double>(*whole);
  }
  if (const T* value = std::get_if<T>(&it->second)) return *value;
  throw RequestError(fmt::format("{}: is of a wrong type", name));
}

std::string checked_url(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  constexpr const char* kExample = "such as http://localhost:7997/v1";
  if (!origin_of(url))
    throw RequestError(
        fmt::format("base_url: '{}' is no http or https address, {}", shown_url(url), kExample));
  // Passwords and signatures have no place in plans and reports, where the address is shown.
  if (shown_url(url) != url)
    throw RequestError(fmt::format(
        "base_url: {} has a user, a query or other parts beside host and path; give the plain "
        "address, {}, and the key as api_key",
        shown_url(url), kExample));
  if (url.ends_with("/embeddings"))
    throw RequestError(fmt::format("base_url: {} names the call; leave out '/embeddings'", url));
  return url;
}

// A line break would begin another header.
void check_key(const std::string& key, const std::string& key_name) {
  if (std::any_of(key.begin(), key.end(), [](unsigned char c) { return c <= ' ' || c >= 127; }))
    throw RequestError(fmt::format(
        "{}: the key has blanks, line breaks or other characters that no key has", key_name));
}

image::Format format_of(const std::string& name) {
  if (name == "jpeg") return image::Format::kJpeg;
  return name == "webp" ? image::Format::kWebp : image::Format::kPng;
}

}  // namespace

std::vector<OptionSpec> openai_options() {
  using Type = OptionSpec::Type;
  std::vector<std::string> apis;
  for (const WireFormat& format : wire_formats()) apis.emplace_back(format.id);
  return {
      {"base_url", Type::kText, {}, {}, {}, false},
      {"api_key", Type::kText, {}, {}, {}, /*secret=*/true},
      {"api_key_env", Type::kText, {}, {}, {}, false},
      {"api", Type::kText, apis, {}, {}, false},
      {"timeout", Type::kNumber, {}, 0.1, 3600, false},
      {"image_format",
       Type::kText,
       {"png", "jpeg", "webp"},
       {},
       {},
       false,
       true,
       /*of_texts=*/false},
      {"quality", Type::kInteger, {}, 1, 100, false, true, /*of_texts=*/false},
      {"ca_file", Type::kText, {}, {}, {}, false},
  };
}

OpenAiProvider::OpenAiProvider(OptionValues defaults, Environment environment)
    : defaults_(std::move(defaults)), environment_(std::move(environment)) {}

std::vector<OptionSpec> OpenAiProvider::options() const { return openai_options(); }

std::optional<std::string> OpenAiProvider::process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return {};
  return std::string(value);
}

RemoteModel OpenAiProvider::model_of(const EmbedRequest& request) const {
  OptionValues options = request.options;
  for (const auto& [name, value] : defaults_) {
    // A key is for the server it was given with.
    const bool of_key = name == "api_key" || name == "api_key_env";
    if (!of_key || !request.options.contains("base_url")) options.emplace(name, value);
  }
  RemoteModel model;
  Endpoint& endpoint = model.endpoint;
  endpoint.provider = name();
  std::optional<std::string> url = option<std::string>(options, "base_url");
  if (!url) url = environment_(kUrlVariable);
  endpoint.base_url = checked_url(url.value_or(kOwnUrl));

  if (!request.model || request.model->empty())
    throw RequestError(
        fmt::format("model: provider '{}' has no default; name a model that {} serves", name(),
                    endpoint.base_url));
  endpoint.model = *request.model;

  const std::string api = option<std::string>(options, "api").value_or("openai");
  endpoint.format = find_wire_format(api);
  if (endpoint.format == nullptr)
    throw RequestError(fmt::format("api: there is no '{}'; there are openai, infinity, vllm", api));

  if (const auto key = option<std::string>(options, "api_key")) {
    endpoint.key_name = "api_key";
    model.key = *key;
  } else {
    const auto variable = option<std::string>(options, "api_key_env");
    endpoint.key_name = "the environment variable " + variable.value_or(kKeyVariable);
    const auto value = environment_(variable.value_or(kKeyVariable));
    if (variable && !value)
      throw RequestError(fmt::format("api_key_env: the environment has no variable {}", *variable));
    model.key = value.value_or("");
  }
  check_key(model.key, endpoint.key_name);

  if (const auto timeout = option<double>(options, "timeout"))
    model.send.timeout = std::chrono::milliseconds(std::llround(*timeout * 1000));
  if (const auto file = option<std::string>(options, "ca_file")) endpoint.ca_file = *file;
  model.encoding.format = format_of(option<std::string>(options, "image_format").value_or("png"));
  if (const auto quality = option<std::int64_t>(options, "quality")) {
    if (model.encoding.format == image::Format::kPng)
      throw RequestError("quality: PNG has none; give image_format=\"jpeg\" or \"webp\" with it");
    model.encoding.quality = static_cast<int>(*quality);
  }
  const auto most = [](std::int64_t value, std::int64_t least) {
    return static_cast<int>(std::clamp<std::int64_t>(value, least, kMostOfAnything));
  };
  if (request.concurrency) model.send.concurrency = most(*request.concurrency, 1);
  if (request.max_retries) model.send.max_retries = most(*request.max_retries, 0);
  if (request.dimensions) {
    if (*request.dimensions < 1 || *request.dimensions > kMaxDimension)
      throw RequestError(fmt::format("dimensions: {} is out of range; give 1 to {}",
                                     *request.dimensions, kMaxDimension));
    endpoint.dimension = *request.dimensions;
    endpoint.send_dimension = true;
  } else {
    endpoint.dimension = known_dimension(endpoint.model).value_or(0);
  }
  return model;
}

template <class Input>
std::shared_ptr<const EmbedderDescriptor<Input>> OpenAiProvider::describe(
    const EmbedRequest& request) const {
  RemoteModel model = model_of(request);
  Endpoint& endpoint = model.endpoint;
  const bool at_openai = origin_of(endpoint.base_url)->host == kOwnHost;
  if (std::is_same_v<Input, Picture> && at_openai)
    throw RequestError(
        "base_url: OpenAI's own service embeds texts alone; give the address of a server that "
        "takes pictures, such as http://localhost:7997/v1");
  if (at_openai && model.key.empty())
    throw RequestError(fmt::format("api_key: {} is not set", kKeyVariable));
  if (endpoint.dimension == 0) {
    const std::string place = fmt::format("{}\n{}\n{}\n{}", endpoint.base_url, endpoint.format->id,
                                          endpoint.model, std::is_same_v<Input, Picture>);
    std::lock_guard lock(mutex_);
    const auto known = asked_.find(place);
    if (known != asked_.end()) {
      endpoint.dimension = known->second;
    } else {
      RemoteModel question = model;
      question.send.max_retries = kProbeRetries;
      question.send.row_deadline = std::min(question.send.timeout, question.send.row_deadline);
      endpoint.dimension = ask_dimension<Input>(question);
      asked_.emplace(place, endpoint.dimension);
    }
  }
  return std::make_shared<const RemoteDescriptor<Input>>(std::move(model));
}

std::shared_ptr<const PictureDescriptor> OpenAiProvider::describe_pictures(
    const EmbedRequest& request) const {
  return describe<Picture>(request);
}

std::shared_ptr<const TextDescriptor> OpenAiProvider::describe_texts(
    const EmbedRequest& request) const {
  return describe<std::string_view>(request);
}

}  // namespace vecframe::providers
