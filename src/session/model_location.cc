#include "session/model_location.h"

#include <vecframe/error.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <system_error>

namespace vecframe::session {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBuiltinHint =
    "use --model builtin:efficientnet-lite0 (in code: model=\"builtin:efficientnet-lite0\")";

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

fs::path home() { return environment("HOME").value_or("/"); }

// models--owner--name, as the hub client names the folders.
std::string cache_folder(const std::string& id) {
  std::string folder = "models--";
  for (char c : id) {
    if (c == '/') {
      folder += "--";
    } else {
      folder += c;
    }
  }
  return folder;
}

std::string read_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool plausible_id(const std::string& id) {
  if (id.empty() || id.front() == '/' || id.front() == '.' || id.back() == '/') return false;
  if (std::count(id.begin(), id.end(), '/') > 1) return false;
  return std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

}  // namespace

fs::path cache_directory() {
  if (auto path = environment("VECFRAME_CACHE")) return *path;
  return home() / ".cache" / "vecframe";
}

fs::path hub_cache_directory() {
  if (auto path = environment("HF_HUB_CACHE")) return *path;
  if (auto path = environment("HF_HOME")) return fs::path(*path) / "hub";
  return home() / ".cache" / "huggingface" / "hub";
}

ModelLocation locate_model(const std::string& model, bool is_default) {
  using Kind = ModelLocation::Kind;
  if (model.starts_with("builtin:")) return {Kind::kBuiltin, {}, {}};
  std::error_code ignored;
  if (fs::is_directory(model, ignored)) return {Kind::kDirectory, model, {}};
  if (fs::exists(model, ignored)) {
    throw RequestError(
        "model: '" + model +
        "' is a file; give the directory that holds config.json and the safetensors");
  }
  const std::size_t at = model.find('@');
  const std::string id = model.substr(0, at);
  const std::string revision = at == std::string::npos ? "main" : model.substr(at + 1);
  if (!plausible_id(id)) {
    throw RequestError("model: '" + model +
                       "' is neither a directory nor a hub id; check the path, or " +
                       std::string(kBuiltinHint));
  }
  const fs::path folder = hub_cache_directory() / cache_folder(id);
  const std::string commit = read_line(folder / "refs" / revision);
  for (const std::string& candidate : {commit, revision}) {
    const fs::path snapshot = folder / "snapshots" / candidate;
    if (!candidate.empty() && fs::exists(snapshot / "config.json", ignored))
      return {Kind::kCached, snapshot, candidate};
  }
  throw RequestError("model: '" + model + "'" + (is_default ? " (the default)" : "") +
                     " is not in the local cache " + hub_cache_directory().string() +
                     "; give a directory of safetensors, or " + std::string(kBuiltinHint));
}

std::vector<std::string> cached_model_ids() {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(hub_cache_directory(), error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with("models--")) continue;
    name.erase(0, 8);
    if (const std::size_t separator = name.find("--"); separator != std::string::npos)
      name.replace(separator, 2, "/");
    const std::string commit = read_line(entry.path() / "refs" / "main");
    if (!commit.empty() && fs::exists(entry.path() / "snapshots" / commit / "config.json", error))
      ids.push_back(name);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace vecframe::session
