// Vectors out of a server's answer, none of which is believed before it is checked.
#pragma once

#include <vecframe/provider.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "providers/remote/wire_format.h"

namespace vecframe::providers {

/// One vector, or what is wrong with it, for each row that was sent, in the order they were sent.
using AnswerRows = std::vector<RowVector>;

/// Why an answer is of no use as a whole.
struct AnswerFault {
  std::string message;
  bool is_error = false;  ///< it is an error in the guise of a success
};

/// Vectors longer than this are not taken from anybody.
inline constexpr std::int64_t kMaxDimension = 65'536;

/// Reads the answer to `rows` rows; `dimension` 0 accepts any up to kMaxDimension. Holds no more
/// than the vectors of those rows, whatever the text claims. An `index` must make a permutation of
/// 0..rows-1 or be absent from all.
std::variant<AnswerRows, AnswerFault> read_answer(const AnswerPointers& pointers,
                                                  std::string_view text, std::size_t rows,
                                                  std::int64_t dimension);

/// The longest answer to `rows` rows that is worth reading.
std::size_t longest_answer(std::size_t rows, std::int64_t dimension);

}  // namespace vecframe::providers
