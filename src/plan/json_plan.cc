#include "plan/json_plan.h"

#include <fmt/format.h>
#include <vecframe/error.h>

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "columnar/schema_json.h"
#include "plan/json_expression.h"
#include "plan/json_text.h"

namespace vecframe::plan {
namespace {

// Operations of a plan, at most: chains are walked recursively. And columns of all their results
// together, each of which has a list of its own.
constexpr std::size_t kMostNodes = 4000;
constexpr std::size_t kMostFields = 1'000'000;

class Writing {
 public:
  explicit Writing(const EncodeRows& encode) : encode_(encode) {}

  // Source first.
  Json chain(const LogicalPlan& plan) {
    std::vector<const LogicalPlan*> nodes;
    for (const LogicalPlan* node = &plan; node != nullptr; node = node->input.get())
      nodes.push_back(node);
    Json list = Json::array();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
      list.push_back(std::visit([&](const auto& value) { return write(value); }, (*node)->node));
    written_ += nodes.size();
    for (const LogicalPlan* node : nodes) fields_ += node->schema.fields.size();
    if (written_ > kMostNodes || fields_ > kMostFields)
      throw RequestError(fmt::format(
          "plan: {} operations with {} columns in all; at most {} with {} have a JSON form",
          written_, fields_, kMostNodes, kMostFields));
    return list;
  }

 private:
  Json write(const ReadImages& node) {
    return {{"op", "read_images"},
            {"inputs", node.inputs},
            {"apply_orientation", node.options.apply_orientation},
            {"max_pixels", node.options.max_pixels},
            {"fast_decode", node.options.fast_decode}};
  }
  Json write(const ReadTexts& node) { return {{"op", "read_texts"}, {"path", node.path}}; }
  Json write(const FromGlob& node) { return {{"op", "from_glob"}, {"patterns", node.patterns}}; }
  Json write(const ReadParquet& node) {
    Json json{{"op", "read_parquet"},
              {"files", node.files},
              {"schema", columnar::schema_to_json(node.schema)}};
    if (node.num_rows) json["num_rows"] = *node.num_rows;
    return json;
  }
  Json write(const FromMemory& node) {
    const std::string bytes = encode_(node);
    if (bytes.size() > kMostMemoryBytes)
      throw RequestError(
          fmt::format("plan: its source is {} bytes in memory, of which at most {} become part of "
                      "a text; write "
                      "the rows with write_parquet() and begin with read_parquet()",
                      bytes.size(), kMostMemoryBytes));
    return {{"op", "from_memory"}, {"arrow_ipc", to_base64(bytes)}};
  }
  Json write(const WithColumn& node) {
    return {{"op", "with_column"},
            {"name", node.name},
            {"expression", expression_to_json(*node.expression)}};
  }
  Json write(const Limit& node) { return {{"op", "limit"}, {"count", node.count}}; }
  Json write(const Select& node) {
    Json columns = Json::array();
    for (const NamedExpression& column : node.columns)
      columns.push_back(
          {{"name", column.name}, {"expression", expression_to_json(*column.expression)}});
    return {{"op", "select"}, {"columns", std::move(columns)}};
  }
  Json write(const Where& node) {
    return {{"op", "where"}, {"predicate", expression_to_json(*node.predicate)}};
  }
  Json write(const Sort& node) {
    Json keys = Json::array();
    for (const storage::SortKey& key : node.keys)
      keys.push_back({{"column", key.column},
                      {"descending", key.descending},
                      {"nulls_first", key.nulls_first}});
    return {{"op", "sort"}, {"keys", std::move(keys)}};
  }
  Json write(const Sample& node) {
    Json json{{"op", "sample"}, {"seed", node.seed}};
    if (node.fraction) json["fraction"] = *node.fraction;
    if (node.size) json["size"] = *node.size;
    return json;
  }
  Json write(const Concat& node) { return {{"op", "concat"}, {"other", chain(*node.other)}}; }
  Json write(const DropNulls& node) { return {{"op", "drop_nulls"}, {"columns", node.columns}}; }

  const EncodeRows& encode_;
  std::size_t written_ = 0, fields_ = 0;
};

class Reading {
 public:
  Reading(const RelationalSource& relational, const DecodeRows& decode)
      : relational_(relational), decode_(decode) {}

  PlanPointer chain(const Json& list) {
    if (!list.is_array() || list.empty()) refuse_json("a plan is no list of operations");
    PlanPointer plan;
    for (const Json& json : list) {
      if (++read_ > kMostNodes)
        refuse_json(fmt::format("there are more than {} operations", kMostNodes));
      const std::string op = text_member(json, "op");
      plan = plan ? operation(op, json, std::move(plan)) : source(op, json);
      fields_ += plan->schema.fields.size();
      if (fields_ > kMostFields)
        refuse_json(fmt::format("its results have more than {} columns in all", kMostFields));
    }
    return plan;
  }

 private:
  PlanPointer source(const std::string& op, const Json& json) {
    if (op == "read_images") {
      const std::int64_t max_pixels = integer_member(json, "max_pixels");
      if (max_pixels < 1) refuse_json("'max_pixels' is not positive");
      return read_images(
          {texts_member(json, "inputs"),
           {flag_member(json, "apply_orientation"), static_cast<std::uint64_t>(max_pixels),
            flag_member(json, "fast_decode")}});
    }
    if (op == "read_texts") return read_texts({text_member(json, "path")});
    if (op == "from_glob") return from_glob({texts_member(json, "patterns")});
    if (op == "read_parquet") {
      ReadParquet node{texts_member(json, "files"),
                       columnar::schema_from_json(array_member(json, "schema"))};
      if (node.files.empty()) refuse_json("'files' is empty");
      if (json.contains("num_rows")) node.num_rows = integer_member(json, "num_rows");
      return read_parquet(std::move(node));
    }
    if (op == "from_memory") {
      const std::optional<std::string> bytes = from_base64(text_member(json, "arrow_ipc"));
      if (!bytes || bytes->size() > kMostMemoryBytes) refuse_json("'arrow_ipc' is no such data");
      return from_memory(decode_(*bytes));
    }
    refuse_json("'" + op + "' is no source");
  }

  PlanPointer operation(const std::string& op, const Json& json, PlanPointer input) {
    if (op == "with_column")
      return with_column(
          std::move(input),
          {text_member(json, "name"), expression_from_json(member_of(json, "expression"))},
          relational_);
    if (op == "limit") return limit(std::move(input), {integer_member(json, "count")});
    if (op == "select") {
      Select node;
      for (const Json& column : array_member(json, "columns"))
        node.columns.push_back(
            {text_member(column, "name"), expression_from_json(member_of(column, "expression"))});
      return select(std::move(input), std::move(node), relational_);
    }
    if (op == "where")
      return where(std::move(input), {expression_from_json(member_of(json, "predicate"))},
                   relational_);
    if (op == "sort") {
      Sort node;
      for (const Json& key : array_member(json, "keys"))
        node.keys.push_back({text_member(key, "column"), flag_member(key, "descending"),
                             flag_member(key, "nulls_first")});
      return sort(std::move(input), std::move(node));
    }
    if (op == "sample") {
      Sample node;
      if (const Json* fraction = find_member(json, "fraction"))
        node.fraction = number_from_json(*fraction);
      node.size = optional_integer(json, "size");
      const Json& seed = member_of(json, "seed");
      if (!seed.is_number_unsigned()) refuse_json("'seed' is no positive whole number");
      node.seed = seed.get<std::uint64_t>();
      return sample(std::move(input), node);
    }
    if (op == "concat") return concat(std::move(input), {chain(array_member(json, "other"))});
    if (op == "drop_nulls") {
      DropNulls node{texts_member(json, "columns")};
      if (node.columns.empty() && !input->schema.fields.empty())
        refuse_json("'columns' of drop_nulls is empty");
      return drop_nulls(std::move(input), std::move(node));
    }
    refuse_json("there is no operation '" + op + "'");
  }

  const RelationalSource& relational_;
  const DecodeRows& decode_;
  std::size_t read_ = 0, fields_ = 0;
};

// The frame around a plan or an expression.
Json frame(const char* kind) {
  return {{"vecframe", kind}, {"version", kPlanJsonVersion}, {"library", VECFRAME_VERSION}};
}

Json open_frame(std::string_view text, const char* kind) {
  Json json = parse_json(text);
  if (text_member(json, "vecframe") != kind)
    refuse_json("the text is no " + std::string(kind) + " of this library");
  const std::int64_t version = integer_member(json, "version");
  if (version != kPlanJsonVersion)
    throw RequestError(
        fmt::format("plan: the text has version {}, this library reads version {}; use one release "
                    "on both sides",
                    version, kPlanJsonVersion));
  return json;
}

}  // namespace

std::string plan_to_json(const LogicalPlan& plan, const EncodeRows& encode) {
  Json json = frame("plan");
  json["plan"] = Writing(encode).chain(plan);
  return write_json(json);
}

PlanPointer plan_from_json(std::string_view text, const RelationalSource& relational,
                           const DecodeRows& decode) {
  const Json json = open_frame(text, "plan");
  return Reading(relational, decode).chain(array_member(json, "plan"));
}

std::string expression_to_json_text(const NamedJson& expression) {
  Json json = frame("expression");
  if (expression.name) json["name"] = *expression.name;
  json["expression"] = expression_to_json(*expression.node);
  return write_json(json);
}

NamedJson expression_from_json_text(std::string_view text) {
  const Json json = open_frame(text, "expression");
  return {expression_from_json(member_of(json, "expression")), optional_text(json, "name")};
}

}  // namespace vecframe::plan
