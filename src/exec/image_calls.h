// Functions of pictures, as expressions call them.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "exec/row_value.h"
#include "image/image.h"
#include "image/reduce.h"
#include "plan/expression_node.h"

namespace vecframe::exec {

/// By its name in the plan: "L", "LA", "RGB", "RGBA".
image::Mode mode_of(const std::string& name);

/// A call of plan/function_table.h whose first argument is a picture; `second` is the value of the
/// second one, if there is any. `whole` is of a picture that was decoded reduced; for
/// resize alone. Errors: stage prepare.
Result<RowValue> call_image_function(const plan::FunctionCall& call, image::Image picture,
                                     const RowValue& second,
                                     const std::optional<image::Whole>& whole = std::nullopt);

/// By how much this call of resize divides both sides of a picture of `size` at least.
double shrink_of_resize(const plan::FunctionCall& call, image::Size size);

}  // namespace vecframe::exec
