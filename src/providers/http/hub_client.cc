#include "providers/http/hub_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include "providers/http/blob_download.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSmallFileBytes = 256 << 20;  // the largest tokenizers have 40 MB
constexpr std::size_t kMaxIndexBytes = 100'000'000;

class HubClient {
 public:
  HubClient(const HubId& id, const HubSettings& settings, const HubOptions& options)
      : id_(id),
        options_(options),
        folder_(settings.cache, id.name),
        repository_(id, settings, options) {}

  HubRepository& repository() { return repository_; }

  void download(const HubRevision& revision) {
    commit_ = revision.commit;
    HubFileChoice choice = choose_usable_files(revision);
    folder_.make_directories(commit_);
    if (choice.weights.front() == kWeightsIndexName) {
      const BlobSource index = repository_.ask_file(commit_, std::string(kWeightsIndexName));
      if (index.size > static_cast<std::int64_t>(kMaxIndexBytes))
        throw HubError(HubError::Kind::kBroken, fmt::format("its {} is too large", index.name));
      total_ = index.size;
      fetch(index);
      choice.weights = shards_of_index(read_text(folder_.blob(index.etag)));
      folder_.link(commit_, index.name, index.etag);
    }
    std::vector<BlobSource> sources;
    for (const std::string& name : choice.weights)
      sources.push_back(repository_.ask_file(commit_, name));
    for (const std::string& name : choice.small) {
      sources.push_back(repository_.ask_file(commit_, name));
      if (sources.back().size > kMaxSmallFileBytes)
        throw HubError(HubError::Kind::kBroken,
                       fmt::format("its {} claims {} bytes", name, sources.back().size));
    }
    for (const BlobSource& source : sources) total_ += source.size;
    // The configuration comes last: a snapshot that has it has everything.
    for (const BlobSource& source : sources) {
      fetch(source);
      folder_.link(commit_, source.name, source.etag);
    }
    for (const std::string_view name : small_file_names()) {
      if (std::find(choice.small.begin(), choice.small.end(), name) == choice.small.end())
        folder_.note_missing(commit_, std::string(name));
    }
    folder_.set_revision(id_.revision, commit_);
  }

 private:
  void fetch(const BlobSource& source) {
    std::optional<std::int64_t> before;  // the first report is of what was there
    const auto report = [&](std::int64_t bytes) {
      received_ += std::max<std::int64_t>(0, bytes - before.value_or(bytes));
      before = bytes;
      if (options_.progress) options_.progress({source.name, done_ + bytes, total_, received_});
    };
    download_blob(repository_.client(), options_.retry, source, folder_.blob(source.etag),
                  folder_.lock(source.etag), report, options_.cancellation);
    done_ += source.size;
  }

  static std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const HubId& id_;
  const HubOptions& options_;
  HubCacheFolder folder_;
  HubRepository repository_;
  std::string commit_;
  std::int64_t done_ = 0;
  std::int64_t total_ = 0;
  std::int64_t received_ = 0;
};

}  // namespace

HubSnapshot fetch_snapshot(const HubId& id, const HubSettings& settings,
                           const HubOptions& options) {
  const HubCacheFolder folder(settings.cache, id.name);
  const std::optional<HubSnapshot> cached = folder.find(id.revision);
  if (cached && folder.is_complete(*cached, options.with_tokenizer)) return *cached;
  if (settings.offline) {
    if (cached) return *cached;
    throw HubError(HubError::Kind::kOffline,
                   "HF_HUB_OFFLINE forbids to fetch it; unset it, or download the model before");
  }
  HubClient client(id, settings, options);
  std::optional<HubRevision> revision;
  try {
    try {
      revision = client.repository().ask_revision();
    } catch (const HttpError& error) {
      throw client.repository().explain(error);
    }
  } catch (const HubError&) {
    // What lies in the cache may be all that is needed; if not, its reader says what is missing.
    if (cached) return *cached;
    throw;
  }
  try {
    client.download(*revision);
  } catch (const HttpError& error) {
    throw client.repository().explain(error);
  }
  return {folder.snapshot_directory(revision->commit), revision->commit};
}

}  // namespace vecframe::providers
