#include "models/model_file.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;

bool lies_in(const fs::path& file, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), file.begin(), file.end()).first ==
         directory.end();
}

}  // namespace

std::optional<fs::path> find_model_file(const std::string& model, const fs::path& directory,
                                        std::string_view name) {
  const fs::path path = directory / name;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  const fs::path file = fs::canonical(path, error);
  if (error) return std::nullopt;
  const fs::path folder = fs::canonical(directory, error);
  if (error) return std::nullopt;
  if (lies_in(file, folder)) return path;
  // <cache>/models--owner--name/snapshots/<commit>
  const fs::path snapshots = folder.parent_path();
  if (snapshots.filename() == "snapshots" && lies_in(file, snapshots.parent_path() / "blobs"))
    return path;
  throw RequestError(
      fmt::format("model: '{}': {} is a link to {}, outside of the model's directory; put the file "
                  "itself there",
                  model, path.string(), file.string()));
}

}  // namespace vecframe::models
