#include "pictures.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include "hwy/highway.h"
#include "source_directory.h"

namespace vecframe::image {

Image lcg_picture(Mode mode, Size size, std::uint32_t seed) {
  Image image(mode, size);
  std::uint64_t state = seed;
  for (std::uint8_t& byte : image.pixels()) {
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF;
    byte = static_cast<std::uint8_t>(state >> 16);
  }
  return image;
}

Image black_and_white_picture(Mode mode, Size size, std::uint32_t seed) {
  Image image = lcg_picture(mode, size, seed);
  for (std::uint8_t& byte : image.pixels()) byte = byte < 128 ? 0 : 255;
  return image;
}

bool same_pixels(const Image& a, const Image& b) {
  return a.mode() == b.mode() && a.size() == b.size() && std::ranges::equal(a.pixels(), b.pixels());
}

std::uint32_t crc32_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc % 2 != 0 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

nlohmann::json read_golden(const std::string& name) {
  const std::string path = std::string(VECFRAME_SOURCE_DIR) + "/tests/golden/" + name;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return nlohmann::json::parse(file);
}

Filter filter_named(const std::string& name) {
  if (name == "nearest") return Filter::kNearest;
  if (name == "box") return Filter::kBox;
  if (name == "bilinear") return Filter::kBilinear;
  if (name == "bicubic") return Filter::kBicubic;
  if (name == "lanczos") return Filter::kLanczos;
  throw std::invalid_argument("filter: " + name);
}

Resampler resampler_named(const std::string& name) {
  if (name == "torchvision") return Resampler::kTorchvision;
  if (name == "pillow12") return Resampler::kPillow12;
  if (name == "pillow13") return Resampler::kPillow13;
  throw std::invalid_argument("resampler: " + name);
}

std::vector<std::int64_t> available_targets() {
  hwy::SetSupportedTargetsForTest(0);
  return hwy::SupportedAndGeneratedTargets();
}

std::string target_name(std::int64_t target) { return hwy::TargetName(target); }

void use_only_target(std::int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace vecframe::image
