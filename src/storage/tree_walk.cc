#include "storage/tree_walk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "storage/glob_pattern.h"
#include "storage/listing.h"

namespace vecframe::storage {
namespace {

constexpr std::string_view kAnyDirectories = "**";

// Apng is PNG with more frames, dib is BMP, jpe and jfif are JPEG.
constexpr std::string_view kExtensions[] = {".apng", ".bmp", ".dib", ".gif", ".jfif", ".jpe",
                                            ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"};

std::string with_slash(std::string path) {
  if (!path.empty() && path.back() != '/') path += '/';
  return path;
}

}  // namespace

std::span<const std::string_view> image_extensions() { return kExtensions; }

bool has_image_extension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string extension(name.substr(dot));
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::binary_search(std::begin(kExtensions), std::end(kExtensions), extension);
}

TreeWalk TreeWalk::images(const std::string& directory) {
  TreeWalk walk;
  walk.root_ = with_slash(directory);
  walk.enter(walk.root_, {}, /*all_images=*/true);
  return walk;
}

TreeWalk TreeWalk::pattern(const std::string& pattern) {
  TreeWalk walk;
  std::size_t begin = 0;
  while (begin < pattern.size()) {
    const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
    std::string component = pattern.substr(begin, end - begin);
    if (walk.components_.empty() && !is_pattern(component)) {
      walk.root_ = pattern.substr(0, std::min(end + 1, pattern.size()));
    } else if (!component.empty() && component != "." &&
               !(component == kAnyDirectories && !walk.components_.empty() &&
                 walk.components_.back() == kAnyDirectories)) {
      walk.components_.push_back(std::move(component));
    }
    begin = end + 1;
  }
  walk.directories_only_ = pattern.back() == '/';
  // `a/**` means everything below a.
  if (walk.components_.back() == kAnyDirectories) walk.components_.push_back("*");
  Waiting waiting;
  walk.add_waiting(waiting, 0);
  walk.enter(walk.root_, std::move(waiting), /*all_images=*/false);
  return walk;
}

void TreeWalk::add_waiting(Waiting& waiting, std::size_t component) const {
  for (; component < components_.size(); ++component) {
    const auto place = std::lower_bound(waiting.begin(), waiting.end(), component);
    if (place == waiting.end() || *place != component) waiting.insert(place, component);
    if (components_[component] != kAnyDirectories) break;
  }
}

void TreeWalk::enter(std::string path, Waiting waiting, bool all_images) {
  DirectoryEntries entries(path);
  // One that vanished meanwhile, or that a pattern spelled out in vain, has nothing to lose.
  if (entries.error() != 0 && entries.error() != ENOENT && entries.error() != ENOTDIR) {
    unreadable_ = path.empty() ? "." : path == "/" ? path : path.substr(0, path.size() - 1);
  }
  levels_.push_back({std::move(path), std::move(entries), std::move(waiting), all_images});
}

std::optional<std::string> TreeWalk::next() {
  while (true) {
    if (unreadable_) return std::exchange(unreadable_, std::nullopt);
    if (levels_.empty()) return std::nullopt;
    Level& level = levels_.back();
    const std::optional<DirectoryEntries::Entry> next_entry = level.entries.next();
    if (!next_entry) {
      levels_.pop_back();
      continue;
    }
    const DirectoryEntries::Entry& entry = *next_entry;
    using Kind = DirectoryEntries::Kind;
    const bool hidden = entry.name.starts_with('.');
    bool matched = false;
    Waiting waiting;
    for (const std::size_t component : level.waiting) {
      if (components_[component] == kAnyDirectories) {
        if (entry.kind == Kind::kDirectory && !hidden) add_waiting(waiting, component);
      } else if (matches(components_[component], entry.name)) {
        matched = matched || component + 1 == components_.size();
        add_waiting(waiting, component + 1);
      }
    }
    std::string path = level.path + std::string(entry.name);
    switch (entry.kind) {
      case Kind::kDirectory: {
        const bool all_images = matched || (level.all_images && !hidden);
        if (all_images || !waiting.empty()) enter(path + '/', std::move(waiting), all_images);
        break;
      }
      case Kind::kLinkToDirectory:
        if (!waiting.empty()) enter(path + '/', std::move(waiting), /*all_images=*/false);
        break;
      case Kind::kFile:
        if (matched && !directories_only_) return path;
        if (level.all_images && !hidden && has_image_extension(entry.name)) return path;
        break;
    }
  }
}

}  // namespace vecframe::storage
