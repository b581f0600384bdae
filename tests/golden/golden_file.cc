#include "golden_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace vecframe::golden {

GoldenFile read_golden(const std::filesystem::path& path) {
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file);
  GoldenFile golden;
  golden.family = json.at("family").get<std::string>();
  for (const auto& picture : json.at("images"))
    golden.pictures.push_back(
        {picture.at("width").get<std::uint32_t>(), picture.at("height").get<std::uint32_t>(),
         picture.at("seed").get<std::int64_t>(), picture.at("gray").get<bool>()});
  golden.embeddings = json.at("embeddings").get<std::vector<std::vector<float>>>();
  golden.pixel_hashes = json.at("pixel_values_fnv1a").get<std::vector<std::string>>();
  if (json.contains("pixel_values_sampled"))
    golden.pixel_samples = json.at("pixel_values_sampled").get<std::vector<std::vector<float>>>();
  return golden;
}

std::vector<GoldenOptions> read_golden_options(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<GoldenOptions> all;
  for (const nlohmann::json& json : nlohmann::json::parse(file)) {
    GoldenOptions options;
    options.pooling = json.at("pooling").get<std::string>();
    if (!json.at("image_size").is_null())
      options.image_size = json.at("image_size").get<std::int64_t>();
    options.embeddings = json.at("embeddings").get<std::vector<std::vector<float>>>();
    all.push_back(std::move(options));
  }
  return all;
}

}  // namespace vecframe::golden
