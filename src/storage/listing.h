// Which files make rows, in which order.
//
// A directory is walked recursively: known image extensions only (case-insensitive), hidden names
// skipped, symbolic links to directories not followed. Files and globs named explicitly always make
// a row. Order: arguments in order, bytewise within one; a path reached twice is one row. `path` is
// the argument as spelled, joined with the relative path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::storage {

/// Lower case, with the dot.
std::span<const std::string_view> image_extensions();

/// A pull-based listing: directories are read as it advances, one at a time.
class Listing {
 public:
  virtual ~Listing() = default;
  /// The next path, or nothing at the end.
  virtual std::optional<std::string> next() = 0;
};

/// Throws RequestError when an argument matches nothing: a glob without a match, a path that does
/// not exist. An existing directory without images is fine. `*`, `?`, `[...]` match within a name,
/// `**` any number of directories; hidden names match only where the pattern spells the dot. An
/// argument that exists as a file is that file, whatever its name holds.
std::unique_ptr<Listing> list_images(std::vector<std::string> arguments);

}  // namespace vecframe::storage
