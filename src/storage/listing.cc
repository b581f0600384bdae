#include "storage/listing.h"

#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "base/fingerprint.h"
#include "storage/glob_pattern.h"

namespace vecframe::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 12> kExtensions{".bmp", ".dib",  ".gif",  ".jfif",
                                                       ".jpe", ".jpeg", ".jpg",  ".png",
                                                       ".tif", ".tiff", ".webp", ".apng"};

bool has_image_extension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  std::string extension(name.substr(dot));
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

// As the user spelled it, with one slash between.
std::string joined(const std::string& directory, const std::string& name) {
  if (directory.empty()) return name;
  return directory.back() == '/' ? directory + name : directory + "/" + name;
}

// A place in the walk: what is there is decided when it is reached, so that one directory at a time
// is in memory.
struct Entry {
  std::string path;
  bool is_directory = false;
  // Pattern components still to be matched below this directory; empty in a plain walk.
  std::size_t component = 0;
};

// Children sorted so that a depth-first walk gives whole relative paths in bytewise order: a
// directory sorts as its name with a slash.
std::vector<Entry> sorted_children(const std::string& directory, bool& readable) {
  std::vector<Entry> children;
  std::error_code error;
  fs::directory_iterator names(directory.empty() ? "." : directory, error);
  readable = !error;
  for (; !error && names != fs::directory_iterator(); names.increment(error)) {
    std::error_code ignored;
    // Symbolic links to directories are not followed: they may go round in circles.
    const bool is_link = names->is_symlink(ignored);
    const bool is_directory = names->is_directory(ignored);
    if (is_link && is_directory) continue;
    children.push_back({names->path().filename().string(), is_directory});
  }
  readable = readable && !error;
  std::sort(children.begin(), children.end(), [](const Entry& a, const Entry& b) {
    return (a.is_directory ? a.path + "/" : a.path) < (b.is_directory ? b.path + "/" : b.path);
  });
  return children;
}

// The files of one argument, in order.
class Walk {
 public:
  virtual ~Walk() = default;
  virtual std::optional<std::string> next() = 0;
};

class SingleFile final : public Walk {
 public:
  explicit SingleFile(std::string path) : path_(std::move(path)) {}
  std::optional<std::string> next() override { return std::exchange(path_, std::nullopt); }

 private:
  std::optional<std::string> path_;
};

class DirectoryWalk final : public Walk {
 public:
  explicit DirectoryWalk(std::string directory) {
    pending_.push_back({std::move(directory), true});
  }

  std::optional<std::string> next() override {
    while (!pending_.empty()) {
      const Entry entry = std::move(pending_.back());
      pending_.pop_back();
      if (!entry.is_directory) return entry.path;
      bool readable = true;
      std::vector<Entry> children = sorted_children(entry.path, readable);
      for (auto child = children.rbegin(); child != children.rend(); ++child) {
        if (child->path.starts_with(".")) continue;
        if (!child->is_directory && !has_image_extension(child->path)) continue;
        pending_.push_back({joined(entry.path, child->path), child->is_directory});
      }
      // A directory that cannot be read is a row of its own, so that it shows up as a failure and
      // is not lost in silence.
      if (!readable) return entry.path;
    }
    return std::nullopt;
  }

 private:
  std::vector<Entry> pending_;  // a stack; the next one on top
};

// A pattern below a directory. Each directory on the stack carries the components it may still
// match: `**` keeps itself and also lets the next one try, so an entry may wait for several at
// once.
class GlobWalk final : public Walk {
 public:
  explicit GlobWalk(const std::string& pattern) {
    std::size_t begin = 0;
    std::string root;
    if (pattern.starts_with("/")) {
      root = "/";
      begin = pattern.find_first_not_of('/');
    }
    while (begin != std::string::npos && begin < pattern.size()) {
      const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
      std::string component = pattern.substr(begin, end - begin);
      begin = pattern.find_first_not_of('/', end);
      if (components_.empty() && !is_pattern(component)) {
        root = joined(root, component);  // the part before the first pattern stays as it is spelled
      } else if (components_.empty() || component != "**" || components_.back() != "**") {
        components_.push_back(std::move(component));
      }
    }
    pending_.push_back({root, true, closure({0})});
  }

  std::optional<std::string> next() override {
    while (!pending_.empty()) {
      const State state = std::move(pending_.back());
      pending_.pop_back();
      if (!state.is_directory) return state.path;
      expand(state);
    }
    return std::nullopt;
  }

 private:
  struct State {
    std::string path;
    bool is_directory = false;
    std::vector<std::size_t> waiting;  // indices of components that children may match
  };

  // `**` matches no directory too, so what follows it waits as well.
  std::vector<std::size_t> closure(std::vector<std::size_t> waiting) const {
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      const std::size_t component = waiting[i];
      if (component < components_.size() && components_[component] == "**" &&
          std::find(waiting.begin(), waiting.end(), component + 1) == waiting.end()) {
        waiting.push_back(component + 1);
      }
    }
    return waiting;
  }

  void expand(const State& directory) {
    bool readable = true;
    std::vector<Entry> children = sorted_children(directory.path, readable);
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      std::vector<std::size_t> waiting;
      bool is_match = false;
      for (const std::size_t index : directory.waiting) {
        if (index >= components_.size()) continue;
        const bool is_last = index + 1 == components_.size();
        if (components_[index] == "**") {
          if (child->path.starts_with(".")) continue;
          if (child->is_directory) waiting.push_back(index);
          // A trailing `**` takes every file below.
          is_match = is_match || (is_last && !child->is_directory);
        } else if (matches(components_[index], child->path)) {
          if (child->is_directory) waiting.push_back(index + 1);
          is_match = is_match || (is_last && !child->is_directory);
        }
      }
      std::string path = joined(directory.path, child->path);
      if (is_match) {
        pending_.push_back({std::move(path), false, {}});
      } else if (child->is_directory && !waiting.empty()) {
        pending_.push_back({std::move(path), true, closure(std::move(waiting))});
      }
    }
  }

  std::vector<std::string> components_;
  std::vector<State> pending_;  // a stack; the next one on top
};

std::unique_ptr<Walk> make_walk(const std::string& argument) {
  std::error_code error;
  const fs::file_status status = fs::status(argument, error);
  if (fs::is_directory(status)) return std::make_unique<DirectoryWalk>(argument);
  if (fs::exists(status)) return std::make_unique<SingleFile>(argument);
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    return std::make_unique<SingleFile>(argument);  // there, but out of reach: a row with its cause
  }
  if (is_pattern(argument)) return std::make_unique<GlobWalk>(argument);
  throw RequestError("input: '" + argument + "' does not exist; check the path");
}

// The same file however it was spelled: relative or absolute, with `.` or doubled slashes.
std::string identity(const std::string& path) {
  std::error_code error;
  const std::string absolute = fs::absolute(path, error).lexically_normal().string();
  const std::string& key = error ? path : absolute;
  return fingerprint_of(std::as_bytes(std::span(key)));
}

class ImageListing final : public Listing {
 public:
  explicit ImageListing(std::vector<std::string> arguments) {
    for (std::string& argument : arguments) {
      if (argument.empty())
        throw RequestError("input: an empty path; name a file, a glob or a directory");
      std::unique_ptr<Walk> walk = make_walk(argument);
      // Only a glob can turn out to match nothing, and that must be known before the run begins.
      std::optional<std::string> first;
      if (dynamic_cast<GlobWalk*>(walk.get()) != nullptr) {
        first = walk->next();
        if (!first)
          throw RequestError("input: the pattern '" + argument +
                             "' matches no file; check it, and quote it");
      }
      walks_.push_back({std::move(walk), std::move(first)});
    }
  }

  std::optional<std::string> next() override {
    while (current_ < walks_.size()) {
      Source& source = walks_[current_];
      std::optional<std::string> path =
          source.first ? std::exchange(source.first, std::nullopt) : source.walk->next();
      if (!path) {
        source.walk.reset();
        ++current_;
      } else if (walks_.size() == 1 || seen_.insert(identity(*path)).second) {
        return path;
      }
    }
    return std::nullopt;
  }

 private:
  struct Source {
    std::unique_ptr<Walk> walk;
    std::optional<std::string> first;
  };
  std::vector<Source> walks_;
  std::size_t current_ = 0;
  std::unordered_set<std::string>
      seen_;  // fingerprints; one argument alone cannot reach a path twice
};

}  // namespace

std::span<const std::string_view> image_extensions() { return kExtensions; }

std::unique_ptr<Listing> list_images(std::vector<std::string> arguments) {
  return std::make_unique<ImageListing>(std::move(arguments));
}

}  // namespace vecframe::storage
