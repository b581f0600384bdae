// Types of the functions of vectors and hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "columnar/schema.h"
#include "plan/expression_node.h"

namespace vecframe::plan {

/// Whether the call is of vectors or hashes, and computed a column at a time.
bool is_vector_function(const std::string& name);

/// Elements of a vector column, as Arrow names them: f (Float32), e (Float16), g (Float64) or c
/// (Int8); nothing for another type.
std::optional<char> vector_element(const columnar::DataType& type);
std::optional<std::int64_t> vector_length(const columnar::DataType& type);

// Types of calls, as function_table.h has them.
columnar::DataType distance_type(const FunctionCall& call,
                                 const std::vector<columnar::DataType>& arguments);
columnar::DataType normalize_type(const FunctionCall& call,
                                  const std::vector<columnar::DataType>& arguments);
columnar::DataType hamming_type(const FunctionCall& call,
                                const std::vector<columnar::DataType>& arguments);

}  // namespace vecframe::plan
