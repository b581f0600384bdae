#include "plan/json_expression.h"

#include <array>
#include <utility>

#include "plan/function_table.h"

namespace vecframe::plan {
namespace {

constexpr std::array<std::pair<OnError, const char*>, 3> kOnError{
    {{OnError::kRaise, "raise"}, {OnError::kLog, "log"}, {OnError::kIgnore, "ignore"}}};
// Beyond what any model gives.
constexpr std::int64_t kMostDimension = 1 << 20;

Json literal_to_json(const columnar::Literal& literal) {
  struct Visitor {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(bool value) const { return value; }
    Json operator()(std::int64_t value) const { return value; }
    Json operator()(double value) const { return {{"float", number_to_json(value)}}; }
    Json operator()(const std::string& value) const { return value; }
    Json operator()(const std::vector<double>& values) const {
      Json list = Json::array();
      for (const double value : values) list.push_back(number_to_json(value));
      return list;
    }
  };
  return std::visit(Visitor(), literal);
}

columnar::Literal literal_from_json(const Json& json) {
  if (json.is_null()) return std::monostate();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number()) return integer_member(Json{{"lit", json}}, "lit");
  if (json.is_object()) return number_from_json(member_of(json, "float"));
  std::vector<double> values;
  for (const Json& value : json) values.push_back(number_from_json(value));
  return values;
}

Json call_to_json(const FunctionCall& call) {
  Json json{{"call", call.name}, {"arguments", Json::array()}};
  for (const auto& argument : call.arguments)
    json["arguments"].push_back(expression_to_json(*argument));
  for (const auto& [name, value] : call.options) json["options"][name] = literal_to_json(value);
  return json;
}

std::map<std::string, columnar::Literal> options_from_json(const Json& json) {
  std::map<std::string, columnar::Literal> options;
  const Json* given = find_member(json, "options");
  if (given == nullptr) return options;
  if (!given->is_object()) refuse_json("'options' is no object");
  for (const auto& [name, value] : given->items()) options.emplace(name, literal_from_json(value));
  return options;
}

FunctionCall call_from_json(const Json& json) {
  FunctionCall call{text_member(json, "call"), {}, {}};
  for (const Json& argument : array_member(json, "arguments"))
    call.arguments.push_back(expression_from_json(argument));
  call.options = options_from_json(json);
  return with_defaults(std::move(call));
}

Json embed_to_json(const EmbedCall& call) {
  Json json{{"embed", call.function == EmbedFunction::kImage ? "image" : "text"},
            {"argument", expression_to_json(*call.argument)},
            {"provider", call.provider},
            {"model", call.model},
            {"model_fingerprint", call.model_fingerprint},
            {"precision", call.precision},
            {"device", call.device},
            {"pooling", call.pooling},
            {"dimension", call.dimension},
            {"normalize", call.normalize},
            {"dtype", call.element == tensor::DType::kF16 ? "float16" : "float32"}};
  for (const auto& [value, word] : kOnError)
    if (value == call.on_error) json["on_error"] = word;
  if (call.image_size) json["image_size"] = *call.image_size;
  if (call.dimensions) json["dimensions"] = *call.dimensions;
  if (call.batch_size) json["batch_size"] = *call.batch_size;
  if (call.concurrency) json["concurrency"] = *call.concurrency;
  if (call.max_retries) json["max_retries"] = *call.max_retries;
  if (call.num_gpus) json["num_gpus"] = number_to_json(*call.num_gpus);
  for (const auto& [name, value] : call.options) json["options"][name] = literal_to_json(value);
  if (call.error_column) json["error_column"] = *call.error_column;
  return json;
}

std::optional<std::int64_t> positive(const Json& json, const char* key, std::int64_t most) {
  const std::optional<std::int64_t> value = optional_integer(json, key);
  if (value && (*value < 1 || *value > most))
    refuse_json("'" + std::string(key) + "' is out of range");
  return value;
}

EmbedCall embed_from_json(const Json& json) {
  EmbedCall call;
  const std::string kind = text_member(json, "embed");
  if (kind != "image" && kind != "text") refuse_json("'embed' is neither image nor text");
  call.function = kind == "image" ? EmbedFunction::kImage : EmbedFunction::kText;
  call.argument = expression_from_json(member_of(json, "argument"));
  call.provider = text_member(json, "provider");
  call.model = text_member(json, "model");
  call.model_fingerprint = text_member(json, "model_fingerprint");
  call.precision = text_member(json, "precision");
  call.device = text_member(json, "device");
  call.pooling = text_member(json, "pooling");
  const std::optional<std::int64_t> dimension = positive(json, "dimension", kMostDimension);
  if (!dimension) refuse_json("'dimension' is missing");
  call.dimension = *dimension;
  call.normalize = flag_member(json, "normalize");
  const std::string dtype = text_member(json, "dtype");
  if (dtype != "float32" && dtype != "float16") refuse_json("'dtype' is no type of vectors");
  call.element = dtype == "float16" ? tensor::DType::kF16 : tensor::DType::kF32;
  const std::string word = text_member(json, "on_error");
  bool known = false;
  for (const auto& [value, name] : kOnError) {
    if (word != name) continue;
    call.on_error = value;
    known = true;
  }
  if (!known) refuse_json("'on_error' is none of raise, log, ignore");
  call.image_size = positive(json, "image_size", 1 << 16);
  call.dimensions = positive(json, "dimensions", call.dimension);
  call.batch_size = positive(json, "batch_size", 1 << 24);
  call.concurrency = positive(json, "concurrency", 1 << 20);
  call.max_retries = optional_integer(json, "max_retries");
  if (call.max_retries && (*call.max_retries < 0 || *call.max_retries > 1 << 20))
    refuse_json("'max_retries' is out of range");
  if (const Json* gpus = find_member(json, "num_gpus")) {
    call.num_gpus = number_from_json(*gpus);
    if (!(*call.num_gpus >= 0 && *call.num_gpus <= 1024)) refuse_json("'num_gpus' is out of range");
  }
  call.options = options_from_json(json);
  call.error_column = optional_text(json, "error_column");
  if (call.error_column && call.error_column->empty()) refuse_json("'error_column' is empty");
  return call;
}

}  // namespace

Json expression_to_json(const ExpressionNode& node) {
  struct Visitor {
    Json operator()(const ColumnReference& column) const { return {{"col", column.name}}; }
    Json operator()(const LiteralValue& literal) const {
      return {{"lit", literal_to_json(literal.value)}};
    }
    Json operator()(const FunctionCall& call) const { return call_to_json(call); }
    Json operator()(const EmbedCall& call) const { return embed_to_json(call); }
  };
  return std::visit(Visitor(), node.value);
}

std::shared_ptr<const ExpressionNode> expression_from_json(const Json& json) {
  ExpressionNode node;
  if (find_member(json, "col") != nullptr) {
    node.value = ColumnReference{text_member(json, "col")};
  } else if (const Json* literal = find_member(json, "lit")) {
    node.value = LiteralValue{literal_from_json(*literal)};
  } else if (find_member(json, "call") != nullptr) {
    node.value = call_from_json(json);
  } else if (find_member(json, "embed") != nullptr) {
    node.value = embed_from_json(json);
  } else {
    refuse_json("an expression is neither col, lit, call nor embed");
  }
  return std::make_shared<ExpressionNode>(std::move(node));
}

}  // namespace vecframe::plan
