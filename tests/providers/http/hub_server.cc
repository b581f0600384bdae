#include "hub_server.h"

#include <fstream>

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

}  // namespace

HubServer::HubServer()
    : directory_(make_temporary_directory("hub")),
      process_("http/hub_server.py", {(directory_ / "repositories").string()}),
      hub_port_(process_.greeting().at("hub")),
      cdn_port_(process_.greeting().at("cdn")) {
  fs::create_directories(directory_ / "repositories");
}

HubServer::~HubServer() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void HubServer::add_file(const std::string& model, const std::string& name,
                         const std::string& content) {
  const fs::path path = directory_ / "repositories" / model / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

void HubServer::add_model(const std::string& model, const json& behaviour,
                          std::size_t weight_bytes) {
  add_file(model, "config.json", R"({"model_type": "clip"})");
  add_file(model, "preprocessor_config.json", R"({"size": 8})");
  add_file(model, "model.safetensors", long_text(weight_bytes));
  add_file(model, "pytorch_model.bin", "a pickle");
  add_file(model, "modeling_clip.py", "raise SystemExit");
  add_file(model, ".behaviour.json", behaviour.dump());
}

HubSettings HubServer::settings() const {
  HubSettings settings;
  settings.endpoint = url();
  settings.cache = directory_ / "cache";
  return settings;
}

HubOptions HubServer::quick_options() {
  HubOptions options;
  options.retry.first_delay = std::chrono::milliseconds(1);
  options.retry.max_delay = std::chrono::milliseconds(4);
  options.http.low_speed_time = std::chrono::seconds(1);
  return options;
}

std::vector<json> HubServer::requests(const std::string& role) const {
  HttpClient client(HttpOptions(), nullptr);
  HttpRequest request;
  request.url = url() + "/__log";
  std::string text;
  client.exchange_text(request, 10 << 20, text);
  std::vector<json> chosen;
  for (const json& entry : json::parse(text)) {
    if (role.empty() || entry.at("role") == role) chosen.push_back(entry);
  }
  return chosen;
}

std::string long_text(std::size_t bytes) {
  std::string text;
  text.reserve(bytes + 16);
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i * 2654435761u) + "\n";
  text.resize(bytes);
  return text;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace vecframe::providers
