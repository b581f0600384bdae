#include "providers/remote/endpoint.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace vecframe::providers {
namespace {

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string json_string(std::string_view text) { return nlohmann::json(text).dump(); }

}  // namespace

HttpUpload request_body(const Endpoint& endpoint, const ItemShape& shape,
                        const HttpUpload& fragments, bool as_base64) {
  const WireFormat& format = *endpoint.format;
  std::string head = "{\"model\":" + json_string(endpoint.model);
  if (as_base64) head += format.base64_member;
  if (endpoint.send_dimension)
    head += "," + json_string(format.dimension_key) + ":" + std::to_string(endpoint.dimension);
  head += std::string(shape.members) + "," + json_string(format.container) + ":[" +
          std::string(shape.before);
  const auto between = shared(std::string(shape.after) + "," + std::string(shape.before));
  HttpUpload body;
  body.reserve(2 * fragments.size() + 1);
  body.push_back(shared(std::move(head)));
  for (const auto& fragment : fragments) {
    if (body.size() > 1) body.push_back(between);
    body.push_back(fragment);
  }
  body.push_back(shared(std::string(shape.after) + "]}"));
  return body;
}

HttpRequest request_to(const Endpoint& endpoint, const std::string& key) {
  HttpRequest request;
  request.method = HttpRequest::Method::kPost;
  request.url = endpoint.base_url + std::string(endpoint.format->path);
  request.content_type = "application/json";
  request.any_status = true;
  if (!key.empty())
    request.secret_lines.push_back(std::string(endpoint.format->auth_header) + ": " +
                                   std::string(endpoint.format->auth_prefix) + key);
  return request;
}

}  // namespace vecframe::providers
