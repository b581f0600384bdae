// The cache directory that huggingface_hub and this library share.
//
//   models--owner--name/blobs/<etag>                 contents, named by their checksums
//   models--owner--name/refs/<revision>              a commit
//   models--owner--name/snapshots/<commit>/<file>    relative links to blobs
//   models--owner--name/.no_exist/<commit>/<file>    empty: the repository has no such file
//   .locks/models--owner--name/<etag>.lock
// Source: huggingface_hub, guide "Understand caching".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vecframe::providers {

struct HubSnapshot {
  std::filesystem::path directory;
  std::string commit;
};

/// The folder of one model in a cache.
class HubCacheFolder {
 public:
  HubCacheFolder(std::filesystem::path cache, const std::string& model);

  /// The snapshot of a revision or commit that is in the cache and holds a configuration.
  std::optional<HubSnapshot> find(const std::string& revision) const;
  /// Whether it lacks nothing: weights, and of processor and (if asked for) tokenizer either a file
  /// or the word of an earlier visit that the repository has none.
  bool is_complete(const HubSnapshot& snapshot, bool with_tokenizer) const;

  std::filesystem::path snapshot_directory(const std::string& commit) const;
  std::filesystem::path blob(const std::string& etag) const;
  std::filesystem::path lock(const std::string& etag) const;

  // Writers; they throw HubError when the file system refuses.
  void make_directories(const std::string& commit) const;
  void link(const std::string& commit, const std::string& file, const std::string& etag) const;
  void note_missing(const std::string& commit, const std::string& file) const;
  void set_revision(const std::string& revision, const std::string& commit) const;

 private:
  bool noted_missing(const std::string& commit, std::string_view file) const;

  std::filesystem::path cache_;
  std::string name_;  // models--owner--name
};

/// Ids of the models in `cache` whose main revision holds a configuration, sorted.
std::vector<std::string> cached_model_ids(const std::filesystem::path& cache);

}  // namespace vecframe::providers
