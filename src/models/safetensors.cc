#include "models/safetensors.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <unordered_set>

#include "base/shown_text.h"
#include "tensor/dtype.h"

namespace vecframe::models {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

// The reference reader's own limit.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kMaxNameBytes = 500;

struct StoredType {
  std::string_view name;
  std::uint64_t bits;
};
constexpr std::array kStoredTypes{
    StoredType{"F32", 32},    StoredType{"F16", 16},    StoredType{"BF16", 16},
    StoredType{"F64", 64},    StoredType{"I64", 64},    StoredType{"U64", 64},
    StoredType{"I32", 32},    StoredType{"U32", 32},    StoredType{"I16", 16},
    StoredType{"U16", 16},    StoredType{"I8", 8},      StoredType{"U8", 8},
    StoredType{"BOOL", 8},    StoredType{"F8_E4M3", 8}, StoredType{"F8_E5M2", 8},
    StoredType{"F8_E8M0", 8}, StoredType{"F4", 4},      StoredType{"F6_E2M3", 6},
    StoredType{"F6_E3M2", 6}, StoredType{"C64", 64},
};

struct Entry {
  std::string name;
  const StoredType* type = nullptr;
  std::optional<std::vector<std::int64_t>> shape;
  std::vector<std::uint64_t> offsets;
};

// Accepts exactly {name: {"dtype": s, "shape": [n...], "data_offsets": [b, e]}, "__metadata__":
// {s: s}}. A callback that returns false stops the parser; `problem` then says why.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<Entry> entries;
  std::string problem;

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
  bool binary(binary_t&) override { return unexpected("binary"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (!in_list_) return unexpected("a number");
    if (field_ == "shape") {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return refuse("has a dimension that overflows");
      if (entry().shape->size() == kMaxRank) return refuse("has more than 8 dimensions");
      entry().shape->push_back(static_cast<std::int64_t>(value));
    } else {
      if (entry().offsets.size() == 2) return refuse("has more than two data_offsets");
      entry().offsets.push_back(value);
    }
    return true;
  }

  bool string(string_t& value) override {
    if (depth_ == 2 && in_metadata_) return true;
    if (depth_ != 2 || field_ != "dtype" || in_list_) return unexpected("a string");
    const auto* type = std::find_if(kStoredTypes.begin(), kStoredTypes.end(),
                                    [&](const StoredType& t) { return t.name == value; });
    if (type == kStoredTypes.end())
      return refuse(fmt::format("has the unknown dtype '{}'", shown_text(value)));
    entry().type = type;
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ >= 2 || in_list_) return unexpected("an object");
    ++depth_;
    return true;
  }

  bool end_object() override {
    if (depth_ == 2 && !in_metadata_) {
      const Entry& done = entry();
      if (done.type == nullptr) return refuse("has no dtype");
      if (!done.shape) return refuse("has no shape");
      if (done.offsets.size() != 2) return refuse("has no data_offsets [begin, end]");
    }
    if (depth_ == 2) in_metadata_ = false;
    --depth_;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ == 1) {
      if (name.size() > kMaxNameBytes)
        return refuse_file(
            fmt::format("a tensor's name has {} bytes, more than {}", name.size(), kMaxNameBytes));
      if (!names_.insert(name).second) return refuse_file(fmt::format("'{}' occurs twice", name));
      in_metadata_ = name == "__metadata__";
      if (!in_metadata_) entries.push_back({name, nullptr, std::nullopt, {}});
      field_.clear();
      return true;
    }
    if (in_metadata_) return true;
    if (name != "dtype" && name != "shape" && name != "data_offsets")
      return refuse(fmt::format("has the unknown field '{}'", shown_text(name)));
    const Entry& open = entry();
    if ((name == "dtype" && open.type != nullptr) || (name == "shape" && open.shape) ||
        (name == "data_offsets" && !open.offsets.empty()))
      return refuse(fmt::format("has {} twice", name));
    field_ = name;
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || in_list_ || (field_ != "shape" && field_ != "data_offsets"))
      return unexpected("a list");
    if (field_ == "shape") entry().shape.emplace();
    in_list_ = true;
    return true;
  }

  bool end_array() override {
    in_list_ = false;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return refuse_file(fmt::format("not valid JSON at byte {}", position));
  }

 private:
  Entry& entry() { return entries.back(); }
  bool refuse_file(std::string text) {
    if (problem.empty()) problem = std::move(text);
    return false;
  }
  bool refuse(std::string_view text) {
    return refuse_file(fmt::format("tensor '{}' {}", entry().name, text));
  }
  bool unexpected(std::string_view what) {
    return refuse_file(fmt::format("unexpected {}{}", what,
                                   entries.empty() ? "" : " in tensor '" + entry().name + "'"));
  }

  std::unordered_set<std::string> names_;
  std::string field_;
  int depth_ = 0;  // of objects: 1 the header, 2 a tensor or the metadata
  bool in_metadata_ = false;
  bool in_list_ = false;
};

// Bytes of a shape, or nothing on overflow.
std::optional<std::uint64_t> byte_count(const Entry& entry) {
  std::uint64_t bits = entry.type->bits;
  for (std::int64_t dimension : *entry.shape) {
    if (__builtin_mul_overflow(bits, static_cast<std::uint64_t>(dimension), &bits))
      return std::nullopt;
  }
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

}  // namespace

std::int64_t TensorInfo::count() const {
  std::int64_t count = 1;
  for (std::int64_t dimension : shape) count *= dimension;
  return count;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::vector<TensorInfo> parse_safetensors(std::span<const std::byte> file,
                                          const std::string& label) {
  const auto fail = [&](std::string_view problem) {
    throw RequestError(fmt::format("{}: not a usable safetensors file: {}", label, problem));
  };
  std::uint64_t header_bytes = 0;
  if (file.size() < sizeof header_bytes) fail("shorter than its length field");
  std::memcpy(&header_bytes, file.data(), sizeof header_bytes);
  if (header_bytes > kMaxHeaderBytes)
    fail(fmt::format("a header of {} bytes, more than {}", header_bytes, kMaxHeaderBytes));
  if (header_bytes > file.size() - sizeof header_bytes)
    fail(fmt::format("a header of {} bytes in a file of {}", header_bytes, file.size()));
  const auto header = file.subspan(sizeof header_bytes, header_bytes);
  const auto data = file.subspan(sizeof header_bytes + header_bytes);
  const char* text = reinterpret_cast<const char*>(header.data());
  if (header.empty() || text[0] != '{') fail("the header does not begin with '{'");

  HeaderReader reader;
  if (!nlohmann::json::sax_parse(text, text + header.size(), &reader)) fail(reader.problem);
  std::vector<Entry>& entries = reader.entries;
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.offsets[0] != b.offsets[0] ? a.offsets[0] < b.offsets[0] : a.offsets[1] < b.offsets[1];
  });

  std::vector<TensorInfo> tensors;
  tensors.reserve(entries.size());
  std::uint64_t position = 0;
  for (Entry& entry : entries) {
    const std::uint64_t begin = entry.offsets[0], end = entry.offsets[1];
    const auto refuse = [&](std::string_view problem) {
      fail(fmt::format("tensor '{}' {}", entry.name, problem));
    };
    if (end < begin || end > data.size())
      refuse(fmt::format("lies at [{}, {}) of {} data bytes", begin, end, data.size()));
    if (begin != position)
      refuse(fmt::format("begins at {}, but the tensor before it ends at {}", begin, position));
    const auto bytes = byte_count(entry);
    if (!bytes || *bytes != end - begin)
      refuse(fmt::format("has shape {} of {}, which does not fill its {} bytes",
                         shape_text(*entry.shape), entry.type->name, end - begin));
    tensors.push_back({std::move(entry.name), entry.type->name, std::move(*entry.shape),
                       data.subspan(begin, end - begin)});
    position = end;
  }
  if (position != data.size())
    fail(fmt::format("{} of {} data bytes belong to no tensor", data.size() - position,
                     data.size()));
  return tensors;
}

void widen(const TensorInfo& tensor, std::span<float> out) { widen(tensor, 0, out); }

void widen(const TensorInfo& tensor, std::int64_t first, std::span<float> out) {
  const auto from_value = [&](std::size_t size) {
    return tensor.data.data() + static_cast<std::size_t>(first) * size;
  };
  const auto widen16 = [&](float (*convert)(std::uint16_t)) {
    const std::byte* from = from_value(sizeof(std::uint16_t));
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::uint16_t bits;
      std::memcpy(&bits, from + i * sizeof bits, sizeof bits);
      out[i] = convert(bits);
    }
  };
  if (out.empty()) return;
  if (tensor.dtype == "F32") {
    std::memcpy(out.data(), from_value(sizeof(float)), out.size_bytes());
  } else if (tensor.dtype == "F16") {
    widen16(tensor::f16_to_float);
  } else if (tensor.dtype == "BF16") {
    widen16(tensor::bf16_to_float);
  } else {
    throw RequestError(fmt::format(
        "model: tensor '{}' is stored as {}; only F32, F16 and BF16 weights can be read",
        tensor.name, tensor.dtype));
  }
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_([&] {
        try {
          return MappedFile(path);
        } catch (const std::system_error& error) {
          throw RequestError(
              fmt::format("{}: cannot be read: {}", path.string(), error.code().message()));
        }
      }()),
      tensors_(parse_safetensors(file_.bytes(), path.string())) {}

std::span<const std::byte> SafetensorsFile::header() const {
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file_.bytes().data(), sizeof header_bytes);
  return file_.bytes().first(sizeof header_bytes + header_bytes);
}

}  // namespace vecframe::models
