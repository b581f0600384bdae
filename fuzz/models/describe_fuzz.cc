// Model directories from strangers: config.json and preprocessor_config.json of any text, with
// tensors of any names and shapes, are refused with RequestError, or make a description whose
// numbers are sound.
//
// An input is three parts with a zero byte after each of the first two: the config, the
// preprocessor, and lines of a tensor's name and its dimensions.

#include <stdlib.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "models/checkpoint.h"
#include "models/image_model.h"

namespace {

namespace fs = std::filesystem;
using namespace vecframe;

constexpr std::uint64_t kMaxTensorBytes = 1 << 20;

// A directory of this process, in memory where there is such a place.
class Directory {
 public:
  Directory() {
    const fs::path memory = "/dev/shm";
    std::string pattern =
        ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "vecframe-fuzz-XXXXXX")
            .string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  /// `zeros` more bytes follow, which take no memory.
  void write(const char* name, std::string_view bytes, std::uint64_t zeros = 0) const {
    std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << bytes;
    if (zeros > 0) fs::resize_file(path_ / name, bytes.size() + zeros);
  }

 private:
  fs::path path_;
};

std::string_view take_part(std::string_view& text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// Lines that are no tensor, or one too many, are left out: the other target is for broken headers.
void write_tensors(const Directory& directory, std::string_view lines) {
  std::istringstream stream{std::string(lines)};
  std::string header = "{";
  std::uint64_t position = 0;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    std::string name, shape;
    fields >> name;
    const bool is_plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return c > ' ' && c < 127 && c != '"' && c != '\\';
    });
    std::uint64_t bytes = 4;
    for (std::uint16_t n = 0; fields >> n && bytes <= kMaxTensorBytes; bytes *= n)
      shape += (shape.empty() ? "" : ",") + std::to_string(n);
    if (!is_plain || position + bytes > kMaxTensorBytes) continue;
    header += (position == 0 && header.size() == 1 ? "\"" : ",\"") + name +
              R"(":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[)" +
              std::to_string(position) + "," + std::to_string(position + bytes) + "]}";
    position += bytes;
  }
  header += "}";
  std::string file(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, sizeof length);
  directory.write("model.safetensors", file + header, position);
}

void check(const models::ImageModelDescription& description) {
  const bool is_sound =
      !description.family.empty() && description.dimension > 0 && description.parameters > 0 &&
      description.matrix_parameters <= description.parameters && description.efficient_batch > 0 &&
      std::isfinite(description.flops_per_image) && description.flops_per_image > 0 &&
      description.prepare.slot_bytes() > 0 && !description.prepare.canonical_text().empty();
  if (!is_sound) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Directory directory;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  directory.write("config.json", take_part(rest));
  directory.write("preprocessor_config.json", take_part(rest));
  write_tensors(directory, rest);
  try {
    check(models::describe_image_model(
        std::make_shared<const models::Checkpoint>("fuzz", directory.path())));
  } catch (const RequestError&) {
  }
  return 0;
}
