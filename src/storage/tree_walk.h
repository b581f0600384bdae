// Files below a directory: the images in it, or what a pattern matches, in bytewise order.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/directory_entries.h"

namespace vecframe::storage {

bool has_image_extension(std::string_view name);

/// A depth-first walk that reads one directory at a time. A directory that cannot be read is given
/// as a path of its own, so that it becomes a row that fails and its pictures are not lost in
/// silence.
class TreeWalk {
 public:
  /// All images below `directory`; hidden names and links to directories are passed by.
  static TreeWalk images(const std::string& directory);
  /// What matches. A directory that matches is walked as images() does, like one a shell would have
  /// put in the pattern's place. Links to directories are followed only where a component other
  /// than `**` and the last one matches them, so that there are no circles.
  static TreeWalk pattern(const std::string& pattern);

  std::optional<std::string> next();
  /// The part before the first component with a pattern, as spelled.
  const std::string& root() const { return root_; }

 private:
  /// Indices into components_ that an entry of a directory may match; sorted, each once.
  using Waiting = std::vector<std::size_t>;

  /// A directory on the way to the current place.
  struct Level {
    std::string path;  // ends in a slash, or is empty for the current directory
    DirectoryEntries entries;
    Waiting waiting;
    bool all_images;
  };

  TreeWalk() = default;
  void enter(std::string path, Waiting waiting, bool all_images);
  /// Adds to `waiting` what `component` lets match, given that `**` may match no directory.
  void add_waiting(Waiting& waiting, std::size_t component) const;

  std::string root_;
  std::vector<std::string> components_;
  bool directories_only_ = false;  // the pattern ends in a slash
  std::vector<Level> levels_;
  std::optional<std::string> unreadable_;
};

}  // namespace vecframe::storage
