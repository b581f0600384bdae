// Key-value metadata of schema nodes, in the form of the Arrow C Data interface.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecframe::columnar {

using Metadata = std::vector<std::pair<std::string, std::string>>;

/// Counts and lengths as native-endian int32 before the bytes; empty for none.
std::string encode_metadata(const Metadata& metadata);
/// Of the pairs in an exported block; null is none.
Metadata decode_metadata(const char* block);
/// The value of a key, or an empty text.
std::string metadata_value(const Metadata& metadata, std::string_view key);

/// Keys of an extension type's name and of what it says of itself.
inline constexpr const char* kExtensionName = "ARROW:extension:name";
inline constexpr const char* kExtensionFacts = "ARROW:extension:metadata";

/// Metadata of an extension type.
Metadata extension_metadata(const std::string& name, const std::string& facts);

}  // namespace vecframe::columnar
