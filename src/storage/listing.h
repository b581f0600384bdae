// Which files make rows, in which order.
//
// A directory is walked recursively: known image extensions only (case-insensitive), hidden names
// skipped, symbolic links to directories not followed. Files and globs named explicitly always make
// a row. Order: arguments in order, bytewise within one; a path reached twice is one row. `path` is
// the argument as spelled, joined with the relative path; its bytes need not be UTF-8 (the column
// then shows U+FFFD, the read uses the bytes). Two paths are one if they are equal once absolute
// and free of `.`, `..` and doubled slashes; links are not resolved for that.
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
/// `**` any number of directories; hidden names match only where the pattern spells the dot. A
/// directory that a glob matches is walked. An argument that exists is itself, whatever its name
/// holds. A directory below an argument that cannot be read is listed as a path of its own, so that
/// it becomes a row that fails.
std::unique_ptr<Listing> list_images(std::vector<std::string> arguments);

}  // namespace vecframe::storage
