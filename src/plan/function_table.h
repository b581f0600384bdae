// The functions that expressions may call, besides embed_image and embed_text: what arguments and
// options they take, and what they give.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "columnar/schema.h"
#include "plan/expression_node.h"

namespace vecframe::plan {

/// Whether the table engine evaluates calls of this name (comparisons, arithmetic, logic, strings).
bool is_relational(const std::string& name);

/// Type of a call of any other function. Throws RequestError: unknown function or option (with the
/// nearest name), a wrong number or type of arguments, an option out of range.
columnar::DataType function_type(const FunctionCall& call,
                                 const std::vector<columnar::DataType>& arguments);

/// The call with the defaults of options it does not name. Throws RequestError for an unknown
/// function, an option the function does not have, or one of a wrong type.
FunctionCall with_defaults(FunctionCall call);

/// What a function takes; a null default means that the option, an integer, must be given.
struct FunctionFacts {
  std::string name;
  std::size_t arguments = 0;
  std::map<std::string, columnar::Literal> options;
};
/// Of all functions that a user may call and the table engine does not have.
std::vector<FunctionFacts> function_facts();

/// An option of a call that with_defaults() completed.
std::int64_t integer_option(const FunctionCall& call, const char* name);
const std::string& text_option(const FunctionCall& call, const char* name);
bool flag_option(const FunctionCall& call, const char* name);

}  // namespace vecframe::plan
