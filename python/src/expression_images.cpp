// Functions of paths, bytes and pictures as methods of expressions. Arguments are taken as they
// come, so that a wrong one is a RequestError that names it, not a list of C++ signatures.

#include <nanobind/stl/string.h>
#include <vecframe/error.h>
#include <vecframe/functions.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "expression_values.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

using Options = std::vector<std::pair<const char*, nb::object>>;

std::string name_of_type(nb::handle object) {
  return nb::cast<std::string>(nb::str(object.type().attr("__name__")));
}

Expression call_with(const char* function, std::vector<Expression> arguments,
                     const Options& options) {
  std::map<std::string, Value> values;
  for (const auto& [name, object] : options) {
    if (object.is_none())
      throw RequestError(std::string(function) + ": option '" + name + "' is None; give a value");
    if (!nb::isinstance<nb::str>(object) && nb::hasattr(object, "__len__"))
      throw RequestError(std::string(function) + ": option '" + name + "' is of type " +
                         name_of_type(object) + "; give one value");
    values.emplace(name, to_value(object));
  }
  return call(function, std::move(arguments), std::move(values));
}

// Whether these are four integers.
bool is_box(nb::handle object) {
  if (!nb::isinstance<nb::tuple>(object) && !nb::isinstance<nb::list>(object)) return false;
  if (nb::len(object) != 4) return false;
  for (nb::handle side : object)
    if (nb::isinstance<nb::bool_>(side) || !nb::hasattr(side, "__index__")) return false;
  return true;
}

Expression crop(const Expression& image, nb::object box) {
  if (nb::isinstance<Expression>(box)) return call("crop", {image, nb::cast<Expression>(box)});
  if (!is_box(box))
    throw RequestError(
        "Expected `bbox` to be either a tuple of 4 ints or an Expression but received: " +
        nb::cast<std::string>(nb::repr(box)) + "; crop: give (x, y, width, height)");
  const nb::object sides = nb::tuple(box);
  return call_with("crop", {image},
                   {{"x", sides[0]}, {"y", sides[1]}, {"w", sides[2]}, {"h", sides[3]}});
}

// Modes are known in any case; no mode is that of each picture.
nb::object mode_word(const nb::object& mode) {
  if (mode.is_none()) return nb::str("");
  return nb::isinstance<nb::str>(mode) ? nb::object(mode.attr("upper")()) : mode;
}

// Formats are known in any case, and JPEG by the name that its files have.
std::string format_word(nb::handle object) {
  if (!nb::isinstance<nb::str>(object))
    throw RequestError("encode_image: image_format is of type " + name_of_type(object) +
                       "; give a format as str");
  auto word = nb::cast<std::string>(object);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "jpg" ? "jpeg" : word;
}

Expression attribute(const Expression& image, const std::string& name) {
  const std::vector<std::string> names{"height", "width", "channel", "mode"};
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw RequestError(
        "Unsupported image property: " + name +
        ", available: [height, width, channel, mode]; image_attribute: give one of them as name");
  return call("image_" + name, {image});
}

void bind_reading(nb::class_<Expression>& expression) {
  expression.def(
      "download",
      [](const Expression& location, nb::object max_connections, nb::object on_error) {
        return call_with("download", {location},
                         {{"max_connections", max_connections}, {"on_error", on_error}});
      },
      "max_connections"_a.none() = 32, "on_error"_a.none() = "raise",
      nb::sig(
          "def download(self, max_connections: int = 32, on_error: str = 'raise') -> Expression"),
      "The bytes of files by path, or of http and https URLs; see vecframe.functions.download.");
  expression.def(
      "decode_image",
      [](const Expression& bytes, nb::object on_error, nb::object mode,
         nb::object apply_orientation, nb::object fast_decode) {
        return call_with("decode_image", {bytes},
                         {{"on_error", on_error},
                          {"mode", mode_word(mode)},
                          {"apply_orientation", apply_orientation},
                          {"fast_decode", fast_decode}});
      },
      "on_error"_a.none() = "raise", "mode"_a.none() = "RGB", nb::kw_only(),
      "apply_orientation"_a.none() = false, "fast_decode"_a.none() = false,
      nb::sig("def decode_image(self, on_error: str = 'raise', mode: str | None = 'RGB', *, "
              "apply_orientation: bool = False, fast_decode: bool = False) -> Expression"),
      "Pictures of encoded bytes; see vecframe.functions.decode_image.");
}

void bind_changes(nb::class_<Expression>& expression) {
  expression.def(
      "convert_image",
      [](const Expression& image, nb::object mode, nb::object alpha) {
        return call_with("convert_image", {image},
                         {{"mode", mode.is_none() ? mode : mode_word(mode)}, {"alpha", alpha}});
      },
      "mode"_a.none(), nb::kw_only(), "alpha"_a.none() = "drop",
      nb::sig("def convert_image(self, mode: str, *, alpha: str = 'drop') -> Expression"),
      "Pictures in another mode; see vecframe.functions.convert_image.");
  expression.def(
      "resize",
      [](const Expression& image, nb::object w, nb::object h, nb::object filter, nb::object fit) {
        return call_with("resize", {image}, {{"w", w}, {"h", h}, {"filter", filter}, {"fit", fit}});
      },
      "w"_a.none(), "h"_a.none(), nb::kw_only(), "filter"_a.none() = "triangle",
      "fit"_a.none() = "fill",
      nb::sig("def resize(self, w: int, h: int, *, filter: str = 'triangle', fit: str = 'fill') -> "
              "Expression"),
      "Pictures of another size; see vecframe.functions.resize.");
  expression.def(
      "crop", &crop, "bbox"_a.none(),
      nb::sig(
          "def crop(self, bbox: tuple[int, int, int, int] | list[int] | Expression) -> Expression"),
      "A box (x, y, width, height) of each picture; see vecframe.functions.crop.");
}

void bind_results(nb::class_<Expression>& expression) {
  expression.def(
      "encode_image",
      [](const Expression& image, nb::object image_format, nb::object quality,
         nb::object lossless) {
        return call_with("encode_image", {image},
                         {{"format", nb::str(format_word(image_format).c_str())},
                          {"quality", quality},
                          {"lossless", lossless}});
      },
      "image_format"_a.none() = "png", nb::kw_only(), "quality"_a.none() = 75,
      "lossless"_a.none() = false,
      nb::sig("def encode_image(self, image_format: str = 'png', *, quality: int = 75, lossless: "
              "bool = False) "
              "-> Expression"),
      "Encoded bytes; see vecframe.functions.encode_image.");
  expression.def(
      "image_to_tensor", [](const Expression& image) { return call("image_to_tensor", {image}); },
      "Pixels as numbers; see vecframe.functions.image_to_tensor.");
  expression.def(
      "image_hash",
      [](const Expression& image, nb::object method, nb::object hash_size, nb::object binbits,
         nb::object segments) {
        return call_with("image_hash", {image},
                         {{"method", method},
                          {"hash_size", hash_size},
                          {"binbits", binbits},
                          {"segments", segments}});
      },
      "method"_a.none() = "phash", nb::kw_only(), "hash_size"_a.none() = 8, "binbits"_a.none() = 3,
      "segments"_a.none() = 3,
      nb::sig(
          "def image_hash(self, method: str = 'phash', *, hash_size: int = 8, binbits: int = 3, "
          "segments: int = 3) -> Expression"),
      "A perceptual hash; see vecframe.functions.image_hash.");
  expression.def("image_attribute", &attribute, "name"_a,
                 "One of \"width\", \"height\", \"channel\", \"mode\".");
  for (const char* name : {"image_width", "image_height", "image_channel", "image_mode"}) {
    const std::string called = name;
    expression.def(
        name, [called](const Expression& image) { return call(called, {image}); },
        "Of each picture, as a number.");
  }
}

}  // namespace

void bind_image_methods(nb::class_<Expression>& expression) {
  bind_reading(expression);
  bind_changes(expression);
  bind_results(expression);
}

}  // namespace vecframe::python
