#include "providers/local/model_card.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <utility>

namespace vecframe::providers {
namespace {

// The hub lower-cases SPDX identifiers.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kSpdx{{
    {"apache-2.0", "Apache-2.0"},
    {"mit", "MIT"},
    {"bsd-3-clause", "BSD-3-Clause"},
    {"cc-by-4.0", "CC-BY-4.0"},
    {"cc-by-nc-4.0", "CC-BY-NC-4.0"},
    {"cc-by-sa-4.0", "CC-BY-SA-4.0"},
}};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\"'";
  const std::size_t begin = text.find_first_not_of(kAround);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kAround) - begin + 1);
}

}  // namespace

std::string read_licence(const std::filesystem::path& directory) {
  std::ifstream file(directory / "README.md", std::ios::binary);
  std::string head(1 << 14, '\0');  // front matter is far shorter
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  std::string_view rest = head;
  if (!rest.starts_with("---")) return {};
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!first && line.starts_with("---")) break;
    if (!line.starts_with("license:")) continue;
    const std::string_view name = trim(line.substr(std::string_view("license:").size()));
    if (name.size() > 64) return {};
    for (const auto& [hub, spdx] : kSpdx)
      if (name == hub) return std::string(spdx);
    return std::string(name);
  }
  return {};
}

std::string snapshot_revision(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory.has_filename() ? directory : directory.parent_path();
  const std::string name = path.filename().string();
  const bool is_commit = name.size() == 40 && std::all_of(name.begin(), name.end(), [](char c) {
                           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                         });
  return is_commit && path.parent_path().filename() == "snapshots" ? name : std::string();
}

}  // namespace vecframe::providers
