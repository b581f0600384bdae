#include "hub_server.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "source_directory.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

}  // namespace

HubServer::HubServer() {
  std::string name = testing::TempDir() + "/hub_XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = name;
  fs::create_directories(directory_ / "repositories");
  std::array<int, 2> to_child{}, from_child{};
  if (pipe(to_child.data()) != 0 || pipe(from_child.data()) != 0)
    throw std::runtime_error("no pipe");
  const std::string root = (directory_ / "repositories").string();
  const std::string script =
      std::string(VECFRAME_SOURCE_DIR) + "/tests/providers/http/hub_server.py";
  process_ = fork();
  if (process_ == 0) {
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    for (const int end : {to_child[0], to_child[1], from_child[0], from_child[1]}) close(end);
    execlp("python3", "python3", script.c_str(), root.c_str(), nullptr);
    _exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  input_ = to_child[1];
  std::string line;
  for (char c = 0; read(from_child[0], &c, 1) == 1 && c != '\n';) line += c;
  close(from_child[0]);
  const json ports = json::parse(line, nullptr, false);
  if (!ports.is_object()) throw std::runtime_error("hub_server.py does not start");
  hub_port_ = ports.at("hub");
  cdn_port_ = ports.at("cdn");
}

HubServer::~HubServer() {
  close(input_);
  waitpid(process_, nullptr, 0);
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
