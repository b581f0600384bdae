// Arrays of an uncompressed .npz file, as numpy.savez writes it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vecframe::golden {

/// The raw little-endian values of array `name`. `descr` is the element type it must have ("<f4").
/// Throws std::runtime_error.
std::vector<std::byte> read_npz_array(const std::filesystem::path& path, const std::string& name,
                                      const std::string& descr);

}  // namespace vecframe::golden
