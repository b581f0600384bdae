#include "storage/listing.h"

#include <sys/stat.h>
#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "base/fingerprint.h"
#include "storage/glob_pattern.h"
#include "storage/tree_walk.h"

namespace vecframe::storage {
namespace {

enum class ArgumentKind { kFile, kDirectory, kPattern };

ArgumentKind kind_of(const std::string& argument) {
  if (argument.empty()) throw RequestError("input '': empty; name a file, a glob or a directory");
  struct stat status {};
  if (::stat(argument.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? ArgumentKind::kDirectory : ArgumentKind::kFile;
  }
  const int error = errno;
  if (is_pattern(argument)) return ArgumentKind::kPattern;
  // A file that is there but out of reach, or a link to nothing, is a row with its cause.
  if (error == EACCES || ::lstat(argument.c_str(), &status) == 0) return ArgumentKind::kFile;
  throw RequestError("input '" + argument + "': " + std::generic_category().message(error) +
                     "; check the path");
}

std::string normal_path(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

using Key = std::array<std::uint64_t, 2>;

struct KeyHash {
  std::size_t operator()(const Key& key) const { return key[0]; }
};

Key key_of(const std::string& path) {
  const std::string normal = normal_path(path);
  const std::string hex = fingerprint_of(std::as_bytes(std::span(normal)));
  Key key{};
  std::from_chars(hex.data(), hex.data() + 16, key[0], 16);
  std::from_chars(hex.data() + 16, hex.data() + 32, key[1], 16);
  return key;
}

class ImageListing final : public Listing {
 public:
  explicit ImageListing(std::vector<std::string> arguments) {
    // Everything that can be wrong with an argument is found before the first file is read.
    std::vector<std::string> roots;
    for (std::string& argument : arguments) {
      const ArgumentKind kind = kind_of(argument);
      std::string root = argument;
      if (kind == ArgumentKind::kPattern) {
        TreeWalk walk = TreeWalk::pattern(argument);
        root = walk.root();
        std::optional<std::string> first = walk.next();
        if (!first) {
          throw RequestError("input '" + argument +
                             "': the pattern matches nothing; check it, and quote it in a shell");
        }
        if (arguments_.empty()) {  // the usual single pattern need not be walked again
          walk_.emplace(std::move(walk));
          first_ = std::move(first);
        }
      }
      roots.push_back(std::move(root));
      arguments_.push_back({std::move(argument), kind});
    }
    if (arguments_.size() > 1) mark_overlaps(roots);
  }

  std::optional<std::string> next() override {
    while (current_ < arguments_.size()) {
      const Argument& argument = arguments_[current_];
      std::optional<std::string> path;
      if (argument.kind == ArgumentKind::kFile) {
        path = argument.text;
        ++current_;
      } else {
        if (!walk_) walk_.emplace(open(argument.text, argument.kind));
        path = first_ ? std::exchange(first_, std::nullopt) : walk_->next();
        if (!path) {
          walk_.reset();
          ++current_;
          continue;
        }
      }
      if (!argument.overlaps || seen_.insert(key_of(*path)).second) return path;
    }
    return std::nullopt;
  }

 private:
  struct Argument {
    std::string text;
    ArgumentKind kind;
    bool overlaps = false;  // another argument's root lies in this one's, or the other way round
  };

  static TreeWalk open(const std::string& argument, ArgumentKind kind) {
    return kind == ArgumentKind::kPattern ? TreeWalk::pattern(argument)
                                          : TreeWalk::images(argument);
  }

  // Only paths of arguments that overlap have to be remembered; folders side by side are the rule.
  void mark_overlaps(std::vector<std::string>& roots) {
    for (std::string& root : roots) {
      root = normal_path(root.empty() ? "." : root);
      if (!root.ends_with('/')) root += '/';
    }
    std::vector<std::size_t> order(roots.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return roots[a] < roots[b]; });
    // Whatever lies below a root follows it at once in this order.
    std::size_t cover = order[0];
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (roots[order[i]].starts_with(roots[cover])) {
        arguments_[cover].overlaps = arguments_[order[i]].overlaps = true;
      } else {
        cover = order[i];
      }
    }
  }

  std::vector<Argument> arguments_;
  std::size_t current_ = 0;
  std::optional<TreeWalk> walk_;      // of the current argument
  std::optional<std::string> first_;  // of walk_, when it was taken already
  std::unordered_set<Key, KeyHash> seen_;
};

}  // namespace

std::unique_ptr<Listing> list_images(std::vector<std::string> arguments) {
  return std::make_unique<ImageListing>(std::move(arguments));
}

}  // namespace vecframe::storage
