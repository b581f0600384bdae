// Widely used checkpoints that this version runs, for `vecframe models`.
#pragma once

#include <cstdint>
#include <span>

namespace vecframe::session {

struct KnownModel {
  const char* id;
  const char* family;
  std::int64_t dimension;
  const char* licence;
  std::int64_t parameters;
  double gflop;
};

std::span<const KnownModel> known_models();

}  // namespace vecframe::session
