// An output directory while a run writes to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/directory_lock.h"
#include "job/embed_job.h"

namespace vecframe::job {

/// Its files by name.
class DirectoryFiles {
 public:
  /// Slashes at the end of `path` mean nothing.
  explicit DirectoryFiles(std::string path);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::vector<std::string> names() const;
  /// Of its parts, by ascending shard.
  std::vector<std::string> part_names() const;
  void remove(const std::string& name) const;

 private:
  std::string path_;
};

/// Locked against other runs. One that was made for the run goes again if nothing else is in it.
class OutputDirectory : public DirectoryFiles {
 public:
  /// Throws RequestError as check_output(), and when another run writes to it.
  OutputDirectory(const std::string& path, WriteMode mode, ShardShare share = {});
  /// For what is done to a directory that exists, by no run of a plan.
  explicit OutputDirectory(const std::string& path);
  ~OutputDirectory();
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;
  /// Removes what writers that died have left. None of this run may be at work.
  void clean_up() const;

 private:
  std::optional<DirectoryLock> lock_;
  std::optional<ShareLock> share_lock_;
  bool created_ = false;
};

}  // namespace vecframe::job
