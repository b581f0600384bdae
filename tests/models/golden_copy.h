// A copy of a golden checkpoint that a test may damage.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "source_directory.h"
#include "temporary_model.h"

namespace vecframe::models {

inline std::filesystem::path golden_texts(const std::string& name) {
  return std::filesystem::path(VECFRAME_SOURCE_DIR) / "tests/golden/texts" / name;
}

class GoldenCopy : public TemporaryModel {
 public:
  explicit GoldenCopy(const std::string& name) {
    std::filesystem::copy(golden_texts(name), directory(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  }
  /// Changes a JSON file by `edit(json&)`.
  template <class F>
  GoldenCopy& edit(const std::string& file, F change) {
    nlohmann::json json;
    std::ifstream(directory() / file) >> json;
    change(json);
    write(file, json.dump());
    return *this;
  }
  GoldenCopy& remove(const std::string& file) {
    std::filesystem::remove(directory() / file);
    return *this;
  }
};

}  // namespace vecframe::models
