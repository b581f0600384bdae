#include "job/output_path.h"

#include <unistd.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "job/embed_job.h"

namespace vecframe::job {
namespace {

namespace fs = std::filesystem;
using std::string_view_literals::operator""sv;

constexpr std::string_view kPrefix = "part-";
constexpr std::string_view kSuffix = ".parquet";

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

void check_parent(const std::string& output) {
  const fs::path parent = fs::path(without_slashes(output)).parent_path();
  const std::string name = parent.empty() ? "." : parent.string();
  std::error_code ignored;
  if (!fs::is_directory(name, ignored)) {
    throw RequestError("output: the directory '" + name + "' of '" + output +
                       "' does not exist; create it first");
  }
  if (access(name.c_str(), W_OK | X_OK) != 0) {
    throw RequestError("output: the directory '" + name + "' of '" + output +
                       "' may not be written to; give another path");
  }
}

bool holds_output(const std::string& directory) {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; entry != end; entry.increment(error)) {
    if (error) break;
    if (!is_left_over(entry->path().filename().string())) return true;
  }
  if (error) {
    throw RequestError("output: the directory '" + directory +
                       "' cannot be read: " + error.message());
  }
  return false;
}

}  // namespace

std::string part_name(std::int64_t shard) {
  std::string digits = std::to_string(shard);
  if (digits.size() < 5) digits.insert(0, 5 - digits.size(), '0');
  return std::string(kPrefix) + digits + std::string(kSuffix);
}

bool is_part_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  return name.size() >= 5 && all_digits(name);
}

std::int64_t shard_of(std::string_view part_name) {
  std::int64_t shard = 0;
  std::from_chars(part_name.data() + kPrefix.size(), part_name.data() + part_name.size(), shard);
  return shard;
}

bool is_left_over(std::string_view name) {
  if (name == "_lock"sv || name == "_job"sv || name.starts_with("_lock-"sv)) return true;
  if (!name.starts_with('.') || !name.ends_with(".tmp"sv)) return false;
  // .NAME.PID-N.tmp, as storage::PendingFile makes them
  const std::string_view rest = name.substr(1);
  return rest.starts_with(kPrefix) || rest.starts_with("_report"sv) ||
         rest.starts_with(kManifestName);
}

OutputKind output_kind(const std::string& output) {
  std::error_code ignored;
  if (output.ends_with('/') || !output.ends_with(kSuffix) || fs::is_directory(output, ignored)) {
    return OutputKind::kDirectory;
  }
  return OutputKind::kFile;
}

void check_output(const std::string& output, WriteMode mode) {
  if (output.empty()) throw RequestError("output: the path is empty; give a file or a directory");
  std::error_code ignored;
  const bool exists = fs::exists(without_slashes(output), ignored);
  if (output_kind(output) == OutputKind::kFile) {
    if (exists && !fs::is_regular_file(output, ignored)) {
      throw RequestError("output: '" + output + "' is no regular file; give another path");
    }
    if (mode == WriteMode::kResume || mode == WriteMode::kAppend) {
      throw RequestError("output: '" + output + "' is one file, which appears whole; " +
                         (mode == WriteMode::kResume ? "resume" : "append") +
                         " needs a directory, such as '" +
                         output.substr(0, output.size() - kSuffix.size()) + "/'");
    }
    if (exists && mode == WriteMode::kError) {
      throw RequestError("output: '" + output + "' exists; replace it with --overwrite");
    }
    return check_parent(output);
  }
  if (!exists) return check_parent(output);
  const std::string directory = without_slashes(output);
  if (!fs::is_directory(directory, ignored)) {
    throw RequestError("output: '" + output +
                       "' is a file, and only names that end in .parquet are written as one");
  }
  if (access(directory.c_str(), W_OK | X_OK) != 0) {
    throw RequestError("output: the directory '" + output +
                       "' may not be written to; give another path");
  }
  if (mode == WriteMode::kError && holds_output(directory)) {
    throw RequestError(
        "output: the directory '" + output +
        "' is not empty; go on with an earlier output in it with --resume, or replace "
        "it with --overwrite");
  }
}

}  // namespace vecframe::job
