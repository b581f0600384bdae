// Tensors of a safetensors file, memory-mapped.
//
// The format (github.com/huggingface/safetensors, README "Format"): 8 bytes little-endian header
// length, a JSON object {name: {dtype, shape, data_offsets}}, then the data. The header comes from
// strangers: it is read by a streaming parser that keeps nothing but valid entries, and every
// offset is checked before a tensor exists. See fuzz/models/safetensors_fuzz.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"

namespace vecframe::models {

/// A tensor where it lies. `dtype` is the format's own name ("F32", "BF16", "I64", ...).
struct TensorInfo {
  std::string name;
  std::string_view dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;

  std::int64_t count() const;
};

/// "[768, 3, 32, 32]"
std::string shape_text(std::span<const std::int64_t> shape);

/// Reads the header of a whole file. Throws RequestError that begins with `label`. The tensors are
/// in the order of their data, which they cover without gap or overlap.
std::vector<TensorInfo> parse_safetensors(std::span<const std::byte> file,
                                          const std::string& label);

/// The tensor as float32. `out` has count() values. Throws RequestError if it is not F32, F16 or
/// BF16.
void widen(const TensorInfo& tensor, std::span<float> out);
/// Its values from number `first` on, as many as `out` has.
void widen(const TensorInfo& tensor, std::int64_t first, std::span<float> out);

class SafetensorsFile {
 public:
  /// Throws RequestError.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  std::uint64_t size() const { return file_.bytes().size(); }
  /// Length and JSON text.
  std::span<const std::byte> header() const;
  /// These bytes stop counting as resident memory; they can still be read.
  void release_pages(std::span<const std::byte> part) const { file_.release_pages(part); }
  std::span<const std::byte> bytes() const { return file_.bytes(); }

 private:
  MappedFile file_;
  std::vector<TensorInfo> tensors_;
};

}  // namespace vecframe::models
