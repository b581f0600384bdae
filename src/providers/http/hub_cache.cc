#include "providers/http/hub_cache.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <system_error>
#include <utility>

#include "providers/http/hub_error.h"
#include "providers/http/hub_files.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "models--";
constexpr std::uintmax_t kMaxIndexBytes = 100'000'000;

std::string read_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool has_configuration(const fs::path& snapshot) {
  return is_file(snapshot / kConfigName) || is_file(snapshot / kOpenClipConfigName);
}

bool has_weights(const fs::path& snapshot) {
  if (is_file(snapshot / kWeightsName)) return true;
  std::error_code error;
  const fs::path index = snapshot / kWeightsIndexName;
  if (is_file(index)) {
    if (const auto size = fs::file_size(index, error); error || size > kMaxIndexBytes) return false;
    std::ifstream file(index, std::ios::binary);
    const std::string json(std::istreambuf_iterator<char>(file), {});
    try {
      const std::vector<std::string> shards = shards_of_index(json);
      return std::all_of(shards.begin(), shards.end(),
                         [&](const std::string& shard) { return is_file(snapshot / shard); });
    } catch (const HubError&) {
      return false;
    }
  }
  for (fs::directory_iterator entry(snapshot, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".safetensors" && is_file(entry->path())) return true;
  }
  return false;
}

HubError refused(const std::string& what, const fs::path& path, int code) {
  return {HubError::Kind::kStorage,
          fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(code))};
}

void make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw refused("create", path, error.value());
}

// A name beside `path` that no other thread or process uses.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return path.string() + fmt::format(".{}-{}.tmp", getpid(), count++);
}

// Written beside and renamed, so that a reader sees the old content or the new one.
void replace_file(const fs::path& path, const std::string& content) {
  make_directory(path.parent_path());
  const fs::path temporary = temporary_beside(path);
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file << content;
    file.close();
    if (!file) throw refused("write", temporary, errno);
  }
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) throw refused("write", path, error.value());
}

}  // namespace

HubCacheFolder::HubCacheFolder(fs::path cache, const std::string& model)
    : cache_(std::move(cache)), name_(kPrefix) {
  for (const char c : model) {
    if (c == '/') {
      name_ += "--";
    } else {
      name_ += c;
    }
  }
}

fs::path HubCacheFolder::snapshot_directory(const std::string& commit) const {
  return cache_ / name_ / "snapshots" / commit;
}

fs::path HubCacheFolder::blob(const std::string& etag) const {
  return cache_ / name_ / "blobs" / etag;
}

fs::path HubCacheFolder::lock(const std::string& etag) const {
  return cache_ / ".locks" / name_ / (etag + ".lock");
}

std::optional<HubSnapshot> HubCacheFolder::find(const std::string& revision) const {
  const std::string commit = read_line(cache_ / name_ / "refs" / revision);
  for (const std::string& candidate : {commit, revision}) {
    // A name, not a path: a ref file is data, and must not lead out of the cache.
    if (!is_plain_name(candidate)) continue;
    fs::path snapshot = snapshot_directory(candidate);
    if (has_configuration(snapshot)) return HubSnapshot{std::move(snapshot), candidate};
  }
  return {};
}

bool HubCacheFolder::noted_missing(const std::string& commit, std::string_view file) const {
  return is_file(cache_ / name_ / ".no_exist" / commit / file);
}

bool HubCacheFolder::is_complete(const HubSnapshot& snapshot, bool with_tokenizer) const {
  const auto settled = [&](std::initializer_list<std::string_view> alternatives) {
    const auto here = [&](std::string_view name) { return is_file(snapshot.directory / name); };
    const auto noted = [&](std::string_view name) { return noted_missing(snapshot.commit, name); };
    return std::any_of(alternatives.begin(), alternatives.end(), here) ||
           std::all_of(alternatives.begin(), alternatives.end(), noted);
  };
  return has_weights(snapshot.directory) &&
         settled({"preprocessor_config.json", "processor_config.json", kOpenClipConfigName}) &&
         (!with_tokenizer || settled({"tokenizer.json", "spiece.model", "vocab.json"}));
}

void HubCacheFolder::make_directories(const std::string& commit) const {
  make_directory(blob("x").parent_path());
  make_directory(snapshot_directory(commit));
  make_directory(lock("x").parent_path());
}

void HubCacheFolder::link(const std::string& commit, const std::string& file,
                          const std::string& etag) const {
  const fs::path target = fs::path("../../blobs") / etag;
  const fs::path path = snapshot_directory(commit) / file;
  std::error_code error;
  if (fs::read_symlink(path, error) == target) return;
  // Made beside and renamed over, so that the name is never without a file.
  const fs::path temporary = temporary_beside(path);
  fs::create_symlink(target, temporary, error);
  if (!error) fs::rename(temporary, path, error);
  if (error) throw refused("link", path, error.value());
}

void HubCacheFolder::note_missing(const std::string& commit, const std::string& file) const {
  if (!noted_missing(commit, file)) replace_file(cache_ / name_ / ".no_exist" / commit / file, "");
}

void HubCacheFolder::set_revision(const std::string& revision, const std::string& commit) const {
  if (revision == commit) return;
  const fs::path path = cache_ / name_ / "refs" / revision;
  if (read_line(path) != commit) replace_file(path, commit);
}

std::vector<std::string> cached_model_ids(const fs::path& cache) {
  std::vector<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator entry(cache, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    name.erase(0, kPrefix.size());
    if (const std::size_t separator = name.find("--"); separator != std::string::npos)
      name.replace(separator, 2, "/");
    if (parse_hub_id(name) && HubCacheFolder(cache, name).find("main")) ids.push_back(name);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace vecframe::providers
