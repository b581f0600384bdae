// Operations of relational algebra on morsels, done by the table module's library.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "columnar/morsel.h"
#include "columnar/scalar_expression.h"
#include "columnar/schema.h"

namespace vecframe::storage {

struct SortKey {
  std::string column;
  bool descending = false;
  bool nulls_first = false;
};

/// Thread-safe. Functions of expressions are:
///   equal, not_equal, less, less_equal, greater, greater_equal; add, subtract, multiply, divide,
///   negate; and, or (Kleene), not; is_null, not_null, is_in (first argument against the literals
///   that follow); starts_with, ends_with, contains (of strings; second argument a literal),
///   length (of strings, in code points), lower, upper; float64, int64, string (casts).
/// Numbers of different types meet as usual: integers widen, and become float64 beside one.
class Relational {
 public:
  virtual ~Relational() = default;

  /// Type of the expression's values. Throws RequestError: unknown column (with the nearest name),
  /// unknown function, arguments of a wrong type; the message names the expression as a user would
  /// write it, the types, and the fix.
  virtual columnar::DataType type_of(const columnar::ScalarExpression& expression,
                                     const columnar::Schema& schema) const = 0;
  /// One value a row. Throws RunError for what only values show (overflow, division by zero).
  virtual columnar::ArrayPointer evaluate(const columnar::ScalarExpression& expression,
                                          const columnar::Schema& schema,
                                          const columnar::Morsel& morsel) const = 0;
  /// The rows for which `mask`, a boolean array, is true; null is false.
  virtual columnar::Morsel filter(const columnar::Schema& schema, const columnar::Morsel& morsel,
                                  const columnar::ArrayPointer& mask) const = 0;
  /// These rows of the morsels taken together, in this order. Every row is within them.
  virtual columnar::Morsel take(const columnar::Schema& schema,
                                std::span<const columnar::Morsel> morsels,
                                std::span<const std::int64_t> rows) const = 0;
  /// Row numbers of the morsels taken together in sorted order; stable. NaN sorts after numbers,
  /// before nulls. Throws RequestError for a column without an order.
  virtual std::vector<std::int64_t> sort_rows(const columnar::Schema& schema,
                                              std::span<const columnar::Morsel> morsels,
                                              std::span<const SortKey> keys) const = 0;
  /// Rows [first, first + count) without copying.
  virtual columnar::Morsel slice(const columnar::Morsel& morsel, std::int64_t first,
                                 std::int64_t count) const = 0;
};

}  // namespace vecframe::storage
