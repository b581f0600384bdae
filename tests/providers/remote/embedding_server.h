// The server that embedding_server.py plays.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "providers/http/http_client.h"
#include "server_process.h"

namespace vecframe::providers {

class EmbeddingServer {
 public:
  EmbeddingServer() : process_("remote/embedding_server.py") {}

  std::string root() const {
    return "http://127.0.0.1:" + std::to_string(process_.greeting().at("port").get<int>());
  }
  std::string base_url(const std::string& name) const { return root() + "/" + name + "/v1"; }
  /// The requests to `name` so far.
  std::vector<nlohmann::json> requests(const std::string& name) const {
    HttpClient client(HttpOptions(), nullptr);
    HttpRequest request;
    request.url = root() + "/" + name;
    std::string text;
    client.exchange_text(request, 100 << 20, text);
    return nlohmann::json::parse(text);
  }
  /// Gives `name` this behaviour and an empty log.
  void set(const std::string& name, const nlohmann::json& behaviour) const {
    HttpClient client(HttpOptions(), nullptr);
    HttpRequest request;
    request.method = HttpRequest::Method::kPost;
    request.url = root() + "/" + name + "/behaviour";
    request.content_type = "application/json";
    request.upload = {std::make_shared<const std::string>(behaviour.dump())};
    std::string text;
    client.exchange_text(request, 1000, text);
  }

 private:
  ServerProcess process_;
};

}  // namespace vecframe::providers
