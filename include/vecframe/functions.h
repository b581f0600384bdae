// Functions of columns: what expressions are made of, besides embed_image and embed_text.
#pragma once

#include <vecframe/export.h>
#include <vecframe/expression.h>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace vecframe {

/// A value that an expression or an option can hold; monostate is null.
using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<double>>;

/// The same value in every row.
VECFRAME_API Expression lit(Value value);

/// A call of a function by its name. docs/functions.md lists them: comparisons, arithmetic and
/// logic (equal, less, add, and, not, is_null, is_in, contains, ...), and functions of pictures
/// (download, decode_image, convert_image, resize, ...). Options that are left out have their
/// defaults. Throws RequestError for an unknown function or option; types are checked when the
/// expression meets a dataframe.
VECFRAME_API Expression call(const std::string& function, std::vector<Expression> arguments,
                             std::map<std::string, Value> options = {});

/// Bytes of a column of paths or URLs. `on_error`: "raise", or "null" for a row that fails.
VECFRAME_API Expression download(const Expression& location, const std::string& on_error = "raise");

struct DecodeImageOptions {
  std::string on_error = "raise";  ///< or "null"
  std::string mode = "RGB";        ///< "L", "LA", "RGB", "RGBA", or "" for that of each picture
  bool apply_orientation = false;  ///< of EXIF
};
VECFRAME_API Expression decode_image(const Expression& bytes,
                                     const DecodeImageOptions& options = {});
VECFRAME_API Expression convert_image(const Expression& image, const std::string& mode);

VECFRAME_API Expression operator==(const Expression& a, const Expression& b);
VECFRAME_API Expression operator!=(const Expression& a, const Expression& b);
VECFRAME_API Expression operator<(const Expression& a, const Expression& b);
VECFRAME_API Expression operator<=(const Expression& a, const Expression& b);
VECFRAME_API Expression operator>(const Expression& a, const Expression& b);
VECFRAME_API Expression operator>=(const Expression& a, const Expression& b);
VECFRAME_API Expression operator&&(const Expression& a, const Expression& b);
VECFRAME_API Expression operator||(const Expression& a, const Expression& b);
VECFRAME_API Expression operator!(const Expression& a);

}  // namespace vecframe
