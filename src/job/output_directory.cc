#include "job/output_directory.h"

#include <vecframe/error.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "job/output_path.h"

namespace vecframe::job {

namespace fs = std::filesystem;

DirectoryFiles::DirectoryFiles(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
}

OutputDirectory::OutputDirectory(const std::string& given, WriteMode mode, ShardShare share)
    : DirectoryFiles(given) {
  check_output(given, mode);
  std::error_code error;
  created_ = fs::create_directory(path(), error);
  if (error) throw RunError("cannot create the directory " + path() + ": " + error.message());
  if (!share.whole()) {
    share_lock_.emplace(path(), share);
    return;  // what looks left over may be another share's
  }
  lock_.emplace(path());
  check_output(given, mode);  // again: another run may have ended since
  clean_up();
}

OutputDirectory::OutputDirectory(const std::string& given) : DirectoryFiles(given) {
  std::error_code ignored;
  if (!fs::is_directory(path(), ignored))
    throw RequestError("'" + given + "' is no directory; give the output directory of a run");
  lock_.emplace(path());
  clean_up();
}

OutputDirectory::~OutputDirectory() {
  lock_.reset();
  share_lock_.reset();
  std::error_code ignored;
  if (created_) fs::remove(path(), ignored);  // only if nothing is in it
}

void OutputDirectory::clean_up() const {
  for (const std::string& name : names())
    if (name != "_lock" && name != "_job" && is_left_over(name)) remove(name);
}

std::vector<std::string> DirectoryFiles::names() const {
  std::vector<std::string> result;
  std::error_code error;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    result.push_back(entry->path().filename().string());
  }
  if (error) throw RunError("cannot list the directory " + path_ + ": " + error.message());
  return result;
}

std::vector<std::string> DirectoryFiles::part_names() const {
  std::vector<std::string> parts = names();
  std::erase_if(parts, [](const std::string& name) { return !is_part_name(name); });
  std::sort(parts.begin(), parts.end(),
            [](const std::string& a, const std::string& b) { return shard_of(a) < shard_of(b); });
  return parts;
}

void DirectoryFiles::remove(const std::string& name) const {
  std::error_code ignored;
  fs::remove(file(name), ignored);
}

}  // namespace vecframe::job
