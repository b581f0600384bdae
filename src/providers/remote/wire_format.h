// What servers want to hear and how they answer, a row of data for each dialect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vecframe::providers {

/// JSON text around one row. Empty: the dialect has no such rows.
struct ItemShape {
  std::string_view before;
  std::string_view after;
  /// Further members of the request for rows of this kind, as `,"key":value`.
  std::string_view members;
};

/// The most that a request may hold. What a server refuses beyond that is learned.
struct RequestLimits {
  std::size_t items = 0;
  std::size_t bytes = 0;  ///< of the whole body, encoded
};

/// JSON pointers with `*` for the number of the row.
struct AnswerPointers {
  std::string_view vector;
  std::string_view index;  ///< of the row that the vector belongs to; it may be absent
  std::string_view error;  ///< what stands there makes an error of an answer with status 200
};

struct WireFormat {
  std::string_view id;
  std::string_view path;         ///< below the base URL
  std::string_view auth_header;  ///< the name of the header that carries the key
  std::string_view auth_prefix;
  std::string_view container;  ///< the member of the request that holds the array of rows
  ItemShape picture;           ///< around a data URL
  ItemShape text;              ///< around a JSON string with its quotes
  std::string_view dimension_key;
  /// A member that asks for little-endian float32 in base64, which is exact and a third of the
  /// digits; numbers are always understood. Empty: there is none.
  std::string_view base64_member;
  RequestLimits limits;
  AnswerPointers answer;
};

std::span<const WireFormat> wire_formats();
/// Null if there is none of that id.
const WireFormat* find_wire_format(std::string_view id);

}  // namespace vecframe::providers
