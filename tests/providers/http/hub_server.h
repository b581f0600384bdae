// The hub that hub_server.py plays, as a process of its own for the life of one object.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "providers/http/http_client.h"
#include "providers/http/hub_client.h"
#include "providers/http/hub_settings.h"
#include "server_process.h"

namespace vecframe::providers {

class HubServer {
 public:
  HubServer();
  ~HubServer();
  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;

  /// A directory that goes with the server; the repositories are in its folder "repositories".
  const std::filesystem::path& directory() const { return directory_; }
  void add_file(const std::string& model, const std::string& name, const std::string& content);
  /// Configuration, processor, and `weight_bytes` of weights. `behaviour` as hub_server.py reads
  /// it.
  void add_model(const std::string& model,
                 const nlohmann::json& behaviour = nlohmann::json::object(),
                 std::size_t weight_bytes = 300'000);

  std::string url() const { return "http://127.0.0.1:" + std::to_string(hub_port_); }
  std::string cdn_url() const { return "http://127.0.0.1:" + std::to_string(cdn_port_); }
  /// This hub, a cache in directory()/cache, and no token.
  HubSettings settings() const;
  /// Short waits, so that a test of failures takes milliseconds.
  static HubOptions quick_options();
  /// The requests so far, in order, that went to `role` ("hub", "cdn"; all if empty).
  std::vector<nlohmann::json> requests(const std::string& role = "") const;

 private:
  std::filesystem::path directory_;
  ServerProcess process_;
  int hub_port_ = 0, cdn_port_ = 0;
};

/// Text that does not repeat soon, so that misplaced bytes show.
std::string long_text(std::size_t bytes);
std::string read_file(const std::filesystem::path& path);

}  // namespace vecframe::providers
