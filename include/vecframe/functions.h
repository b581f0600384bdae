// Functions of columns: what expressions are made of, besides embed_image and embed_text.
#pragma once

#include <vecframe/export.h>
#include <vecframe/expression.h>
#include <vecframe/value.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vecframe {

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
  /// JPEG at half, a quarter or an eighth of its size, still twice as long as the resize or the
  /// model that takes it wants; docs/performance.md has the error. RequestError where neither does.
  bool fast_decode = false;
};
VECFRAME_API Expression decode_image(const Expression& bytes,
                                     const DecodeImageOptions& options = {});
VECFRAME_API Expression convert_image(const Expression& image, const std::string& mode);

// Of two columns of vectors, or of one and a literal (`lit(std::vector<double>{...})`), summed in
// double precision: Float64, null where a side is null. Throws RequestError, when the expression
// meets a dataframe, for another type or vectors of different lengths.

/// 1 - cosine_similarity(); NaN where a vector is zero.
VECFRAME_API Expression cosine_distance(const Expression& a, const Expression& b);
/// Cosine of the angle, -1 to 1; NaN where a vector is zero.
VECFRAME_API Expression cosine_similarity(const Expression& a, const Expression& b);
VECFRAME_API Expression dot_product(const Expression& a, const Expression& b);
VECFRAME_API Expression euclidean_distance(const Expression& a, const Expression& b);
/// Each vector divided by its length, as an Embedding; a zero vector stays zero.
VECFRAME_API Expression l2_normalize(const Expression& vectors);
/// Bits that differ, as UInt32, of FixedSizeBinary columns such as those of image_hash; a literal
/// is the values of the bytes, as a vector.
VECFRAME_API Expression hamming_distance(const Expression& a, const Expression& b);

/// A function that call() knows.
struct FunctionInfo {
  std::string name;
  std::size_t arguments = 0;
  std::map<std::string, Value> options;  ///< with their defaults; null: must be given, an integer
};
/// All of them but those that Arrow's kernels compute: of pictures, bytes and vectors.
VECFRAME_API std::vector<FunctionInfo> list_functions();

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
