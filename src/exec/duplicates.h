// Pictures of the same bytes within a run: the first is embedded, the others get its vector.
//
// A copy that comes while the first is on its way waits for it without holding anything; one that
// comes later finds the vector among those kept, or is embedded again if there have been too many
// others since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/fingerprint.h"

namespace vecframe::exec {

class Duplicates {
 public:
  /// More than this is not worth its memory.
  static constexpr std::int64_t kMaximumBytes = std::int64_t{16} << 20;

  /// Keeps as many vectors of this length as fit.
  Duplicates(std::int64_t dimension, std::int64_t capacity_bytes);

  enum class Outcome : std::uint8_t {
    kFirst,    ///< to be embedded; finish() or fail() follows, once
    kFollows,  ///< finish() or fail() of the first gives out this row
    kKnown,    ///< `vector` is filled
  };
  Outcome enter(const Hash128& content, std::int64_t row, std::span<float> vector);
  /// The rows that follow; the vector is kept for later ones.
  std::vector<std::int64_t> finish(const Hash128& content, std::span<const float> vector);
  std::vector<std::int64_t> fail(const Hash128& content);

  static std::int64_t bytes_of_entry(std::int64_t dimension) {
    return dimension * static_cast<std::int64_t>(sizeof(float)) + kEntryBytes;
  }

 private:
  // A node of the map and one of the list, with what malloc adds.
  static constexpr std::int64_t kEntryBytes = 192;

  struct Hash {
    std::size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  struct Kept {
    Hash128 content;
    std::vector<float> vector;
  };
  std::vector<std::int64_t> take_followers(const Hash128& content);

  const std::size_t capacity_;  // vectors
  std::mutex mutex_;
  std::unordered_map<Hash128, std::vector<std::int64_t>, Hash> under_way_;
  std::list<Kept> kept_;  // the one used last is in front
  std::unordered_map<Hash128, std::list<Kept>::iterator, Hash> by_content_;
};

}  // namespace vecframe::exec
