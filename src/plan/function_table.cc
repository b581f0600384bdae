#include "plan/function_table.h"

#include <fmt/format.h>
#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "columnar/integer_list.h"
#include "columnar/tensor_column.h"
#include "plan/vector_functions.h"

namespace vecframe::plan {
namespace {

using columnar::DataType;
using columnar::Literal;
using columnar::TypeKind;

constexpr std::array kRelational{
    "equal",     "not_equal", "less",     "less_equal", "greater", "greater_equal",
    "add",       "subtract",  "multiply", "divide",     "negate",  "and",
    "or",        "not",       "is_null",  "not_null",   "is_in",   "starts_with",
    "ends_with", "contains",  "length",   "lower",      "upper",   "float64",
    "int64",     "string"};

// Modes by name, as image::Mode numbers them; those that a column can hold.
constexpr std::array<std::pair<const char*, std::uint8_t>, 4> kModes{
    {{"L", 1}, {"LA", 2}, {"RGB", 3}, {"RGBA", 4}}};

struct Option {
  const char* name;
  Literal fallback;  ///< its alternative is the type; monostate: must be given, an integer
};

const char* kind_of(const Literal& value) {
  constexpr std::array kKinds{"no value",      "True or False", "an integer",
                              "a real number", "a text",        "numbers"};
  return kKinds[value.index()];
}

std::string describe(const Literal& value) {
  return to_string(ExpressionNode{LiteralValue{value}});
}

// One name may have several entries that differ in the number of arguments.
struct Function {
  const char* name;
  std::size_t arguments;
  std::vector<Option> options;
  DataType (*type)(const FunctionCall&, const std::vector<DataType>&);
};

[[noreturn]] void refuse_argument(const FunctionCall& call, std::size_t index, const DataType& type,
                                  const char* wanted, const char* example) {
  throw RequestError(fmt::format("{}: argument {} has type {}, but {} is needed; {}", call.name,
                                 to_string(*call.arguments[index]), type.to_string(), wanted,
                                 example));
}

// Of any size: one that was decoded reduced is not the picture that the user means, but where it is
// resized next.
const DataType& resizable_argument(const FunctionCall& call, const std::vector<DataType>& types) {
  if (types[0].kind != TypeKind::kImage)
    refuse_argument(call, 0, types[0], "an Image",
                    "decode bytes with decode_image(), or pass a column of pictures");
  return types[0];
}

const DataType& image_argument(const FunctionCall& call, const std::vector<DataType>& types) {
  const DataType& type = resizable_argument(call, types);
  if (type.image.reduced)
    throw RequestError("fast_decode: True, but " + call.name + " takes " +
                       to_string(*call.arguments[0]) +
                       ", for which no size follows; resize() the pictures before " + call.name +
                       ", or decode with fast_decode=False");
  return type;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

void check_word(const FunctionCall& call, const char* option,
                const std::vector<std::string>& words) {
  const std::string& word = text_option(call, option);
  if (std::find(words.begin(), words.end(), word) != words.end()) return;
  throw RequestError(fmt::format("{}: {}='{}' is not known; use one of: {}", call.name, option,
                                 word, fmt::join(words, ", ")));
}

void check_range(const FunctionCall& call, const char* option, std::int64_t low,
                 std::int64_t high) {
  const std::int64_t value = integer_option(call, option);
  if (value < low || value > high)
    throw RequestError(fmt::format("{}: {}={} is out of range; give {} to {}", call.name, option,
                                   value, low, high));
}

void check_on_error(const FunctionCall& call) {
  // "defer" is what lowering gives to the columns of read_images; users cannot.
  const std::string& word = text_option(call, "on_error");
  if (word != "raise" && word != "null" && word != "defer")
    throw RequestError(
        fmt::format("Invalid on_error value: {}; {}: use \"raise\" or \"null\"", word, call.name));
}

std::uint8_t mode_option(const FunctionCall& call) {
  const std::string& word = text_option(call, "mode");
  for (const auto& [name, number] : kModes)
    if (word == name) return number;
  throw RequestError(
      fmt::format("Image mode {} is not supported; {}: mode '{}' cannot be stored, use one of: L, "
                  "LA, RGB, RGBA",
                  word, call.name, word));
}

DataType image_of(std::uint8_t mode, std::uint32_t height = 0, std::uint32_t width = 0) {
  return {TypeKind::kImage, 0, {}, {mode, height, width}};
}

DataType download_type(const FunctionCall& call, const std::vector<DataType>& types) {
  if (types[0].kind != TypeKind::kString)
    refuse_argument(call, 0, types[0], "a String", "pass a column of paths or URLs");
  check_on_error(call);
  check_range(call, "max_connections", 1, 1024);
  return {TypeKind::kBinary};
}

DataType decode_type(const FunctionCall& call, const std::vector<DataType>& types) {
  if (types[0].kind != TypeKind::kBinary)
    throw RequestError(fmt::format(
        "ImageDecode can only decode BinaryArrays; decode_image: argument {} has type {}, but "
        "Binary is needed; read the files of a column of paths with download() first",
        to_string(*call.arguments[0]), types[0].to_string()));
  check_on_error(call);
  DataType type = image_of(text_option(call, "mode").empty() ? 0 : mode_option(call));
  type.image.reduced = flag_option(call, "fast_decode");
  return type;
}

DataType convert_type(const FunctionCall& call, const std::vector<DataType>& types) {
  DataType type = resizable_argument(call, types);
  check_word(call, "alpha", {"drop", "white"});
  type.image.mode = mode_option(call);
  return type;
}

DataType resize_type(const FunctionCall& call, const std::vector<DataType>& types) {
  const DataType& image = resizable_argument(call, types);
  check_range(call, "w", 1, 1 << 16);
  check_range(call, "h", 1, 1 << 16);
  check_word(call, "filter", {"triangle", "nearest", "box", "bilinear", "bicubic", "lanczos"});
  check_word(call, "fit", {"fill", "contain", "cover", "inside"});
  if (image.image.mode == 0 || text_option(call, "fit") == "inside")
    return image_of(image.image.mode);
  return image_of(image.image.mode, static_cast<std::uint32_t>(integer_option(call, "h")),
                  static_cast<std::uint32_t>(integer_option(call, "w")));
}

DataType crop_type(const FunctionCall& call, const std::vector<DataType>& types) {
  const DataType& image = image_argument(call, types);
  for (const char* side : {"x", "y", "w", "h"})
    check_range(call, side, 0, std::int64_t{UINT32_MAX});
  return image_of(image.image.mode);
}

// By a box for each picture.
DataType crop_by_column_type(const FunctionCall& call, const std::vector<DataType>& types) {
  const DataType& image = image_argument(call, types);
  if (!columnar::is_integer_list(types[1]))
    refuse_argument(call, 1, types[1], "a list of 4 integers", "pass x, y, width and height");
  return image_of(image.image.mode);
}

DataType tensor_type(const FunctionCall& call, const std::vector<DataType>& types) {
  return columnar::tensor_type(image_argument(call, types).image);
}

DataType encode_type(const FunctionCall& call, const std::vector<DataType>& types) {
  image_argument(call, types);
  constexpr std::array kFormats{"png", "jpeg", "tiff", "gif", "bmp", "webp"};
  const std::string& format = text_option(call, "format");
  if (std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end())
    throw RequestError(
        fmt::format("Image format {} is not supported; encode_image: format='{}', use one of: {}",
                    upper(format), format, fmt::join(kFormats, ", ")));
  check_range(call, "quality", 1, 100);
  return {TypeKind::kBinary};
}

// A hash is a binary of fixed size; its length follows from the options as image/image_hash.h says.
DataType hash_type(const FunctionCall& call, const std::vector<DataType>& types) {
  image_argument(call, types);
  check_word(call, "method",
             {"phash", "phash_simple", "dhash", "dhash_vertical", "ahash", "whash",
              "crop_resistant", "colorhash"});
  const std::int64_t size = integer_option(call, "hash_size"),
                     segments = integer_option(call, "segments");
  check_range(call, "hash_size", 2, 128);
  check_range(call, "binbits", 1, 8);
  check_range(call, "segments", 1, 16);
  const std::string& method = text_option(call, "method");
  if (method == "whash" && (size & (size - 1)) != 0)
    throw RequestError(fmt::format(
        "image_hash: hash_size must be a power of 2 for 'whash', but got: {}; give 8", size));
  std::int64_t bits = size * size;
  if (method == "crop_resistant") bits *= segments * segments;
  if (method == "colorhash") bits = 14 * integer_option(call, "binbits");
  ArrowSchema schema{};
  const std::string format = "w:" + std::to_string((bits + 7) / 8);
  schema.format = format.c_str();
  return columnar::import_type(schema);
}

DataType attribute_type(const FunctionCall& call, const std::vector<DataType>& types) {
  image_argument(call, types);
  return {TypeKind::kUInt32};
}

// Of encoded bytes, without decoding them: null where they are no picture.
DataType header_type(const FunctionCall& call, const std::vector<DataType>& types) {
  if (types[0].kind != TypeKind::kBinary)
    refuse_argument(call, 0, types[0], "Binary", "read the files with download() first");
  return {call.name == "header_format" ? TypeKind::kString : TypeKind::kUInt32};
}

const std::vector<Function>& functions() {
  static const std::vector<Function> table{
      {"download",
       1,
       {{"max_connections", std::int64_t{32}}, {"on_error", std::string("raise")}},
       download_type},
      {"decode_image",
       1,
       {{"on_error", std::string("raise")},
        {"mode", std::string("RGB")},
        {"apply_orientation", false},
        {"fast_decode", false}},
       decode_type},
      {"convert_image",
       1,
       {{"mode", std::string("RGB")}, {"alpha", std::string("drop")}},
       convert_type},
      {"resize",
       1,
       {{"w", {}}, {"h", {}}, {"filter", std::string("triangle")}, {"fit", std::string("fill")}},
       resize_type},
      {"crop", 1, {{"x", {}}, {"y", {}}, {"w", {}}, {"h", {}}}, crop_type},
      {"crop", 2, {}, crop_by_column_type},
      {"image_to_tensor", 1, {}, tensor_type},
      {"encode_image",
       1,
       {{"format", std::string("png")}, {"quality", std::int64_t{75}}, {"lossless", false}},
       encode_type},
      {"image_hash",
       1,
       {{"method", std::string("phash")},
        {"hash_size", std::int64_t{8}},
        {"binbits", std::int64_t{3}},
        {"segments", std::int64_t{3}}},
       hash_type},
      {"header_width", 1, {{"apply_orientation", false}}, header_type},
      {"header_height", 1, {{"apply_orientation", false}}, header_type},
      {"header_format", 1, {{"apply_orientation", false}}, header_type},
      {"image_width", 1, {}, attribute_type},
      {"image_height", 1, {}, attribute_type},
      {"image_channel", 1, {}, attribute_type},
      {"image_mode", 1, {}, attribute_type},
      {"cosine_distance", 2, {}, distance_type},
      {"cosine_similarity", 2, {}, distance_type},
      {"dot_product", 2, {}, distance_type},
      {"euclidean_distance", 2, {}, distance_type},
      {"l2_normalize", 1, {}, normalize_type},
      {"hamming_distance", 2, {}, hamming_type},
  };
  return table;
}

// The entry of that name which takes so many arguments, or else its first.
const Function& find(const std::string& name, std::size_t num_arguments) {
  const Function* first = nullptr;
  for (const Function& function : functions()) {
    if (name != function.name) continue;
    if (function.arguments == num_arguments) return function;
    if (first == nullptr) first = &function;
  }
  if (first != nullptr) return *first;
  std::vector<std::string> names(kRelational.begin(), kRelational.end());
  for (const Function& function : functions()) names.emplace_back(function.name);
  const std::string nearest = nearest_name(name, names);
  throw RequestError("function '" + name + "' does not exist" +
                     (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
}

}  // namespace

bool is_relational(const std::string& name) {
  return std::find(kRelational.begin(), kRelational.end(), name) != kRelational.end();
}

FunctionCall with_defaults(FunctionCall call) {
  if (is_relational(call.name)) return call;
  const Function& function = find(call.name, call.arguments.size());
  for (const auto& [name, value] : call.options) {
    const auto known =
        std::find_if(function.options.begin(), function.options.end(),
                     [&name = name](const Option& option) { return name == option.name; });
    if (known == function.options.end()) {
      std::vector<std::string> names;
      for (const Option& option : function.options) names.emplace_back(option.name);
      const std::string nearest = nearest_name(name, names);
      throw RequestError(fmt::format("{}: unknown option '{}'; {}", call.name, name,
                                     nearest.empty()
                                         ? fmt::format("there are {}", fmt::join(names, ", "))
                                         : "did you mean '" + nearest + "'?"));
    }
    const bool integer = std::holds_alternative<std::monostate>(known->fallback);
    const Literal wanted = integer ? Literal(std::int64_t{0}) : known->fallback;
    if (value.index() != wanted.index())
      throw RequestError(fmt::format("{}: option '{}' is {}; give {}", call.name, name,
                                     describe(value), kind_of(wanted)));
  }
  if (const auto given = call.options.find("on_error");
      given != call.options.end() && given->second == Literal(std::string("defer")))
    given->second = std::string("'defer'");  // refused with the types
  for (const Option& option : function.options) {
    if (call.options.contains(option.name)) continue;
    if (std::holds_alternative<std::monostate>(option.fallback))
      throw RequestError(fmt::format("{}: option '{}' is missing", call.name, option.name));
    call.options.emplace(option.name, option.fallback);
  }
  return call;
}

std::vector<FunctionFacts> function_facts() {
  std::vector<FunctionFacts> result;
  for (const Function& function : functions()) {
    if (std::string_view(function.name).starts_with("header_")) continue;  // of lowering alone
    FunctionFacts facts{function.name, function.arguments, {}};
    for (const Option& option : function.options) facts.options[option.name] = option.fallback;
    result.push_back(std::move(facts));
  }
  return result;
}

DataType function_type(const FunctionCall& call, const std::vector<DataType>& arguments) {
  const Function& function = find(call.name, call.arguments.size());
  if (arguments.size() != function.arguments)
    throw RequestError(fmt::format("{}: {} arguments are given, it takes {}", call.name,
                                   arguments.size(), function.arguments));
  return function.type(call, arguments);
}

std::int64_t integer_option(const FunctionCall& call, const char* name) {
  return std::get<std::int64_t>(call.options.at(name));
}
const std::string& text_option(const FunctionCall& call, const char* name) {
  return std::get<std::string>(call.options.at(name));
}
bool flag_option(const FunctionCall& call, const char* name) {
  return std::get<bool>(call.options.at(name));
}

}  // namespace vecframe::plan
