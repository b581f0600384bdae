#include "plan/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "plan/expression_walk.h"
#include "plan/json_text.h"

namespace vecframe::plan {
namespace {

using columnar::Field;
using columnar::Schema;

std::string describe(const ReadImages& node) {
  constexpr std::size_t kShown = 3;
  std::string text = "ReadImages: ";
  for (std::size_t i = 0; i < std::min(node.inputs.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + node.inputs[i];
  if (node.inputs.size() > kShown)
    text += ", ... (" + std::to_string(node.inputs.size()) + " inputs)";
  return text + (node.options.apply_orientation ? "" : ", orientation ignored") +
         (node.options.fast_decode ? ", fast_decode" : "");
}

std::string describe(const ReadTexts& node) {
  return "ReadTexts: " + (node.path == "-" ? "standard input" : node.path);
}

std::string describe(const WithColumn& node) {
  return "WithColumn: " + node.name + " = " + to_string(*node.expression);
}

std::string describe(const Limit& node) { return "Limit: " + std::to_string(node.count); }

bool is_reference_to(const ExpressionNode& node, const std::string& name) {
  const auto* column = std::get_if<ColumnReference>(&node.value);
  return column != nullptr && column->name == name;
}

std::string describe(const Select& node) {
  std::string text = "Select: ";
  for (std::size_t i = 0; i < node.columns.size(); ++i) {
    const NamedExpression& column = node.columns[i];
    text += i == 0 ? "" : ", ";
    text += column.name;
    if (!is_reference_to(*column.expression, column.name))
      text += " = " + to_string(*column.expression);
  }
  return text;
}

std::string describe(const FromGlob& node) {
  return fmt::format("FromGlob: {}", fmt::join(node.patterns, ", "));
}

std::string describe(const ReadParquet& node) {
  return fmt::format("ReadParquet: {} file{}, {}", node.files.size(),
                     node.files.size() == 1 ? "" : "s", node.files.front());
}

// What a source leaves out.
std::string columns_of(const LogicalPlan& plan) {
  const Schema* all = nullptr;
  if (const auto* node = std::get_if<ReadParquet>(&plan.node)) all = &node->schema;
  if (const auto* node = std::get_if<FromMemory>(&plan.node)) all = &node->schema;
  if (all == nullptr || all->fields.size() == plan.schema.fields.size()) return {};
  std::string text =
      fmt::format("; {} of {} columns", plan.schema.fields.size(), all->fields.size());
  const char* separator = ": ";
  for (const Field& field : plan.schema.fields) {
    text += separator + field.name;
    separator = ", ";
  }
  return text;
}

std::string describe(const FromMemory& node) {
  std::int64_t rows = 0;
  for (const columnar::Morsel& morsel : *node.morsels) rows += morsel.num_rows;
  return fmt::format("FromMemory: {} rows", rows);
}

std::string describe(const Where& node) { return "Where: " + to_string(*node.predicate); }

std::string describe(const Sort& node) {
  std::string text = "Sort: ";
  for (std::size_t i = 0; i < node.keys.size(); ++i)
    text += (i == 0 ? "" : ", ") + node.keys[i].column + (node.keys[i].descending ? " desc" : "");
  return text;
}

std::string describe(const Sample& node) {
  const std::string amount = node.fraction ? fmt::format("fraction {}", *node.fraction)
                                           : fmt::format("{} rows", *node.size);
  return fmt::format("Sample: {}, seed {}", amount, node.seed);
}

std::string describe(const Concat&) { return "Concat: with the plan that follows"; }

std::string describe(const DropNulls& node) {
  return fmt::format("DropNulls: {}", fmt::join(node.columns, ", "));
}

std::string describe_top(const LogicalPlan& plan) {
  return std::visit([](const auto& value) { return describe(value); }, plan.node) +
         columns_of(plan);
}

void collect_embeddings(const NodePointer& node, std::vector<const EmbedCall*>& calls) {
  if (const auto* embed = std::get_if<EmbedCall>(&node->value)) calls.push_back(embed);
  with_arguments(node, [&](const NodePointer& argument) {
    collect_embeddings(argument, calls);
    return argument;
  });
}

std::vector<const EmbedCall*> embeddings_of(const LogicalPlan& plan) {
  std::vector<const EmbedCall*> calls;
  if (const auto* node = std::get_if<WithColumn>(&plan.node))
    collect_embeddings(node->expression, calls);
  if (const auto* node = std::get_if<Where>(&plan.node)) collect_embeddings(node->predicate, calls);
  if (const auto* node = std::get_if<Select>(&plan.node))
    for (const NamedExpression& column : node->columns)
      collect_embeddings(column.expression, calls);
  return calls;
}

// What a run makes of a call. Local embedders are pulled by the workers, one lane each.
Json properties_of(const EmbedCall& call) {
  Json json;
  json["provider"] = call.provider;
  json["model"] = call.model;
  json["dimension"] = call.dimension;
  json["dtype"] = call.element == tensor::DType::kF16 ? "float16" : "float32";
  // Those of providers have neither, and embedders as many as they say.
  const bool local = !call.precision.empty();
  if (local) json["precision"] = call.precision;
  if (local) json["device"] = call.device;
  json["batch_size"] = "auto";
  if (call.batch_size) json["batch_size"] = *call.batch_size;
  json["concurrency"] = local ? "threads" : "auto";
  if (call.concurrency) json["concurrency"] = *call.concurrency;
  if (call.max_retries) json["max_retries"] = *call.max_retries;
  if (call.num_gpus) json["num_gpus"] = *call.num_gpus;
  json["on_error"] = call.on_error == OnError::kRaise ? "raise"
                     : call.on_error == OnError::kLog ? "log"
                                                      : "ignore";
  if (local || call.handle) json["async"] = call.handle != nullptr && call.handle->is_async();
  return json;
}

std::string properties_text(const EmbedCall& call) {
  std::string text = "Properties = {";
  const char* separator = " ";
  const Json properties = properties_of(call);
  for (const auto& [name, value] : properties.items()) {
    text +=
        separator + name + " = " + (value.is_string() ? value.get<std::string>() : value.dump());
    separator = ", ";
  }
  return text + " }";
}

void explain_chain(const LogicalPlan& plan, std::string indent, std::string& text) {
  for (const LogicalPlan* node = &plan; node != nullptr; node = node->input.get()) {
    text += indent + describe_top(*node) + '\n';
    for (const EmbedCall* call : embeddings_of(*node))
      text += indent + "    " + properties_text(*call) + '\n';
    indent += "  ";
    if (const auto* both = std::get_if<Concat>(&node->node)) {
      text += indent + "with\n";
      explain_chain(*both->other, indent + "  ", text);
      text += indent + "after\n";
    }
  }
}

std::string chain_text(const LogicalPlan& plan) {
  std::string text;
  explain_chain(plan, "", text);
  return text;
}

std::string schema_text(const Schema& schema) {
  std::string text = "Schema: ";
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    const Field& field = schema.fields[i];
    text += (i == 0 ? "" : ", ") + field.name + " " + field.type.to_string();
  }
  return text + '\n';
}

Json chain_json(const LogicalPlan& plan) {
  Json list = Json::array();
  for (const LogicalPlan* node = &plan; node != nullptr; node = node->input.get()) {
    const std::string line = describe_top(*node);
    const std::size_t colon = line.find(':');
    Json json{{"operation", line.substr(0, colon)}, {"text", line.substr(colon + 2)}};
    for (const EmbedCall* call : embeddings_of(*node))
      json["properties"].push_back(properties_of(*call));
    if (const auto* both = std::get_if<Concat>(&node->node))
      json["other"] = chain_json(*both->other);
    list.push_back(std::move(json));
  }
  return list;
}

// A column's name without the marks of those that only the run has.
std::string shown(const std::string& column) {
  std::string text;
  for (const char c : column) text += c == '\x01' ? '#' : c;
  return text;
}

std::string shown(const ExpressionNode& node) { return shown(to_string(node)); }

void explain_steps(const StepPlan& plan, const std::string& indent,
                   std::vector<std::string>& lines) {
  for (const Step& step : plan.steps) {
    struct Visitor {
      const Step& step;
      std::string operator()(const SourceStep& source) const {
        const LogicalPlan node{source.source, nullptr, step.schema};
        std::string line = "Source: " + describe_top(node);
        return line;
      }
      std::string operator()(const MapStep& map) const {
        std::string line = "Map:";
        const char* separator = " ";
        for (const ComputedColumn& column : map.columns) {
          line += separator + shown(column.column) + " = " + shown(*column.node);
          separator = "; ";
        }
        return line;
      }
      std::string operator()(const ScalarStep& scalar) const {
        return "Scalar: " + shown(scalar.column);
      }
      std::string operator()(const VectorStep& vector) const {
        return "Vector: " + shown(vector.column) + " = " + shown(ExpressionNode{vector.call});
      }
      std::string operator()(const FilterStep& filter) const {
        return "Filter: " + shown(filter.mask);
      }
      std::string operator()(const LimitStep& limit) const {
        return fmt::format("Limit: {}", limit.count);
      }
      std::string operator()(const SortStep& sort) const {
        std::string line = "Sort:";
        for (const storage::SortKey& key : sort.keys)
          line += " " + shown(key.column) + (key.descending ? " desc" : "");
        return sort.first ? fmt::format("{}, the first {}", line, *sort.first) : line;
      }
      std::string operator()(const SampleStep& sample) const { return describe(sample.sample); }
      std::string operator()(const ConcatStep&) const { return "Concat: then the rows of"; }
      std::string operator()(const ProjectStep& project) const {
        std::string line = "Project:";
        const char* separator = " ";
        for (const auto& [from, to] : project.columns) {
          line += separator + (from == to ? to : to + " = " + shown(from));
          separator = ", ";
        }
        return line;
      }
    };
    lines.push_back(indent + std::visit(Visitor{step}, step.value));
    if (const auto* both = std::get_if<ConcatStep>(&step.value))
      explain_steps(*both->other, indent + "  ", lines);
  }
}

}  // namespace

std::string explain(const LogicalPlan& plan) { return schema_text(plan.schema) + chain_text(plan); }

std::vector<std::string> explain(const StepPlan& plan) {
  std::vector<std::string> lines;
  explain_steps(plan, "", lines);
  return lines;
}

std::vector<std::string> explain(const PhysicalPlan& plan) {
  std::vector<std::string> lines{
      std::visit([](const auto& read) { return describe(read); }, plan.read)};
  if (plan.limit) lines.push_back(fmt::format("Limit: {}", *plan.limit));
  if (plan.embed) lines.push_back("Prepare and embed: " + to_string(ExpressionNode{*plan.embed}));
  std::string columns = "Columns:";
  for (const BoundColumn& column : plan.columns)
    columns += (columns.back() == ':' ? " " : ", ") + column.name;
  lines.push_back(columns);
  return lines;
}

std::string explain_all(const ExplainedPlan& plan) {
  std::string text = schema_text(plan.asked->schema) + "\n== Logical plan ==\n" +
                     chain_text(*plan.asked) + "\n== Optimised plan ==\n" +
                     chain_text(*plan.optimized) + "\n== Physical plan: " + plan.kind + " ==\n";
  for (const std::string& line : plan.physical) text += line + '\n';
  return text;
}

std::string explain_json(const ExplainedPlan& plan) {
  Json json;
  for (const Field& field : plan.asked->schema.fields)
    json["schema"].push_back({{"name", field.name}, {"type", field.type.to_string()}});
  json["logical"] = chain_json(*plan.asked);
  json["optimized"] = chain_json(*plan.optimized);
  json["physical"] = {{"kind", plan.kind}, {"steps", plan.physical}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vecframe::plan
