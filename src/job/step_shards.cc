#include "job/step_shards.h"

#include <vecframe/error.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "exec/sources.h"
#include "storage/file_version.h"

namespace vecframe::job {
namespace {

// Between the path and the row groups of a unit: no path holds a zero.
constexpr char kSeparator = '\0';

struct GroupUnit {
  std::string path;
  storage::RowGroups groups;
};

std::string unit_of(const GroupUnit& unit) {
  return unit.path + kSeparator + std::to_string(unit.groups.first) + kSeparator +
         std::to_string(unit.groups.count);
}

GroupUnit groups_of(const std::string& unit) {
  const std::size_t first = unit.find(kSeparator), second = unit.find(kSeparator, first + 1);
  if (second == std::string::npos) throw RunError("'" + unit + "' names no row groups");
  GroupUnit result{unit.substr(0, first), {}};
  std::from_chars(unit.data() + first + 1, unit.data() + second, result.groups.first);
  std::from_chars(unit.data() + second + 1, unit.data() + unit.size(), result.groups.count);
  return result;
}

const plan::LogicalPlan::Node& source_of(const plan::StepPlan& plan) {
  return std::get<plan::SourceStep>(plan.steps.front().value).source;
}

const plan::ReadParquet* parquet_of(const plan::StepPlan& plan) {
  return std::get_if<plan::ReadParquet>(&source_of(plan));
}

// Row groups of Parquet files, as many together as make a part.
class GroupUnits final : public storage::Listing {
 public:
  GroupUnits(std::vector<std::string> files, storage::TableModule& tables,
             std::int64_t rows_per_part)
      : files_(std::move(files)), tables_(tables), rows_per_part_(rows_per_part) {}

  std::optional<std::string> next() override {
    for (; file_ < files_.size(); ++file_, reader_.reset()) {
      if (!reader_) {
        reader_ = tables_.open_parquet(files_[file_]);
        group_ = 0;
      }
      const std::int64_t groups = reader_->facts().num_row_groups;
      if (group_ == groups) continue;
      GroupUnit unit{files_[file_], {group_, 0}};
      for (std::int64_t rows = 0; group_ < groups && rows < rows_per_part_; ++group_) {
        rows += reader_->num_rows(group_);
        ++unit.groups.count;
      }
      return unit_of(unit);
    }
    return std::nullopt;
  }

 private:
  const std::vector<std::string> files_;
  storage::TableModule& tables_;
  const std::int64_t rows_per_part_;
  std::size_t file_ = 0;
  std::unique_ptr<storage::TableReader> reader_;  // of the current file
  std::int64_t group_ = 0;
};

class PathList final : public storage::Listing {
 public:
  explicit PathList(const std::vector<std::string>& paths) : paths_(paths) {}
  std::optional<std::string> next() override {
    return next_ == paths_.size() ? std::nullopt : std::optional(paths_[next_++]);
  }

 private:
  const std::vector<std::string>& paths_;
  std::size_t next_ = 0;
};

// The stream of some row groups, which keeps their reader.
class GroupRows final : public exec::Operator {
 public:
  GroupRows(std::unique_ptr<storage::TableReader> reader, const std::vector<std::string>& columns,
            storage::RowGroups groups)
      : reader_(std::move(reader)) {
    ArrowArrayStream stream{};
    reader_->open_stream(columns, groups, &stream);
    rows_ = exec::open_stream(stream);
  }
  std::optional<columnar::Morsel> next() override { return rows_->next(); }

 private:
  const std::unique_ptr<storage::TableReader> reader_;
  std::unique_ptr<exec::Operator> rows_;
};

// Values are read as the plan says, so the file must still be what the plan was built for.
std::vector<std::string> columns_of(const columnar::Schema& schema,
                                    const storage::TableReader& reader, const std::string& path) {
  std::vector<std::string> columns;
  for (const columnar::Field& field : schema.fields) {
    const int index = reader.schema().find(field.name);
    if (index < 0 || !(reader.schema().fields[static_cast<std::size_t>(index)].type == field.type))
      throw RunError("read_parquet: '" + path + "' has no column '" + field.name + "' of type " +
                     field.type.to_string() + " any more; build the plan again");
    columns.push_back(field.name);
  }
  return columns;
}

template <class Stage>
std::function<Stage(const plan::EmbedCall&)> made_once(
    std::function<Stage(const plan::EmbedCall&)> make) {
  auto stages = std::make_shared<std::map<const plan::EmbedCall*, Stage>>();
  return [make = std::move(make), stages](const plan::EmbedCall& call) {
    const auto known = stages->find(&call);
    return known != stages->end() ? known->second
                                  : stages->emplace(&call, make(call)).first->second;
  };
}

void add_model(const plan::EmbedCall& call, const std::string& column, Recipe& recipe) {
  const auto add = [&](const char* name, std::string value) {
    recipe.add(column + "." + name, std::move(value));
  };
  add("provider", call.provider);
  add("model_fingerprint", call.model_fingerprint);
  add("precision", call.precision);
  add("pooling", call.pooling);
  add("image_size", call.image_size ? std::to_string(*call.image_size) : "");
  add("dimensions", call.dimensions ? std::to_string(*call.dimensions) : "");
  add("normalize", call.normalize ? "true" : "false");
}

std::unique_ptr<storage::Listing> list_units(const plan::StepPlan& plan,
                                             storage::TableModule& tables,
                                             std::int64_t rows_per_part) {
  const plan::LogicalPlan::Node& source = source_of(plan);
  if (const auto* parquet = std::get_if<plan::ReadParquet>(&source))
    return std::make_unique<GroupUnits>(parquet->files, tables, rows_per_part);
  if (const auto* images = std::get_if<plan::ReadImages>(&source))
    return storage::list_images(images->inputs);
  return storage::list_images(std::get<plan::FromGlob>(source).patterns);
}

KeyFile key_unit_by(const plan::StepPlan& plan, Detect detect) {
  const bool of_groups = parquet_of(plan) != nullptr;
  // Units of one file follow each other: its content is read once.
  return [of_groups, detect, last = std::string(),
          content = std::uint32_t{0}](const std::string& unit) mutable {
    const std::string path = of_groups ? groups_of(unit).path : unit;
    const storage::FileVersion version = storage::version_of(path);
    InputKey key = key_of(unit, version);
    if (detect == Detect::kContent) {
      if (path != last) content = key_of_content(path).version;
      last = path;
      key.version = content;
    }
    return KeyedFile{key, of_groups ? 0 : version.size};
  };
}

}  // namespace

std::string why_in_one_stream(const plan::StepPlan& plan) {
  const plan::LogicalPlan::Node& source = source_of(plan);
  if (std::holds_alternative<plan::FromMemory>(source)) return "its rows come from memory";
  if (std::holds_alternative<plan::ReadTexts>(source))
    return "its texts go through more than an embedding";
  for (const plan::Step& step : plan.steps) {
    if (std::holds_alternative<plan::SortStep>(step.value)) return "it sorts";
    if (std::holds_alternative<plan::LimitStep>(step.value)) return "it has a limit";
    if (std::holds_alternative<plan::SampleStep>(step.value)) return "it samples";
    if (std::holds_alternative<plan::ConcatStep>(step.value)) return "it joins two inputs";
  }
  return "";
}

Recipe recipe_of(const StepJob& job, const exec::StepContext& context,
                 const columnar::Schema& schema) {
  if (!why_in_one_stream(job.plan).empty()) {
    Recipe recipe("a plan in one stream");
    recipe.add(schema);
    return recipe;
  }
  Recipe recipe(parquet_of(job.plan) != nullptr ? "row groups" : "plans over files");
  recipe.add(schema);
  recipe.add("operations", job.description);
  for (const plan::Step& step : job.plan.steps) {
    const auto* map = std::get_if<plan::MapStep>(&step.value);
    if (map == nullptr) continue;
    for (const plan::ComputedColumn& column : map->columns)
      if (const auto* call = std::get_if<plan::EmbedCall>(&column.node->value))
        add_model(*call, column.column, recipe);
  }
  recipe.add("max_pixels", std::to_string(context.decode.max_pixels));
  recipe.add("detect", job.writing.detect == Detect::kTime ? "time" : "content");
  if (const auto* images = std::get_if<plan::ReadImages>(&source_of(job.plan)))
    recipe.add("orientation", images->options.apply_orientation ? "apply" : "ignore");
  if (parquet_of(job.plan) != nullptr)
    recipe.add("rows_per_part", std::to_string(job.writing.rows_per_part));
  return recipe;
}

std::string describe_unit(const plan::StepPlan& plan, const std::string& unit) {
  if (parquet_of(plan) == nullptr) return "";
  const GroupUnit group = groups_of(unit);
  const nlohmann::ordered_json json = {
      {"file", group.path}, {"first", group.groups.first}, {"count", group.groups.count}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

PlannedUnits::PlannedUnits(const StepJob& job, DirectoryRun& run, storage::TableModule& tables)
    : job_(job),
      inventory_(run.inventory()),
      units_(list_units(job.plan, tables, job.writing.rows_per_part)) {
  if (job.writing.prune)
    throw RequestError(
        "prune: rows of this plan are not those of its inputs one by one; write it anew with "
        "overwrite");
  PlannerOptions options;
  // Row groups come in units that make a part each.
  options.rows_per_part = parquet_of(job.plan) != nullptr ? 1 : job.writing.rows_per_part;
  options.bytes_per_part = job.writing.bytes_per_part;
  options.share = job.writing.share;
  options.add_missing = job.writing.add_missing;
  options.retry_failed = job.writing.retry_failed;
  options.whole_parts = true;
  options.scratch = run.directory().path();
  const KeyFile key_file =
      [this, key = key_unit_by(job.plan, job.writing.detect)](const std::string& unit) {
        if (std::string text = describe_unit(job_.plan, unit); !text.empty())
          listed_.insert(std::move(text));
        return key(unit);
      };
  planner_.emplace(*units_, key_file, options, run.inventory(), run.index());
}

std::vector<std::int64_t> PlannedUnits::outdated() const {
  std::vector<std::int64_t> outdated;
  const plan::ReadParquet* source = parquet_of(job_.plan);
  if (source == nullptr) return outdated;
  const std::set<std::string> files(source->files.begin(), source->files.end());
  for (const CommittedPart& part : inventory_.parts()) {
    const auto json = nlohmann::json::parse(part.inputs, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || listed_.contains(part.inputs)) continue;
    if (files.contains(json.value("file", ""))) outdated.push_back(part.id);
  }
  return outdated;
}

exec::StepContext shard_context(const exec::StepContext& context) {
  exec::StepContext once = context;
  once.image_stage = made_once(context.image_stage);
  once.text_stage = made_once(context.text_stage);
  return once;
}

void read_units(exec::StepContext& context, const std::vector<std::string>& units,
                storage::TableModule& tables) {
  context.open_source = [&units, &tables](
                            const plan::SourceStep& step,
                            const columnar::Schema& schema) -> std::unique_ptr<exec::Operator> {
    if (!std::holds_alternative<plan::ReadParquet>(step.source))
      return exec::open_paths(std::make_unique<PathList>(units), schema);
    std::vector<std::unique_ptr<exec::Operator>> streams;
    for (const std::string& unit : units) {
      const GroupUnit group = groups_of(unit);
      auto reader = tables.open_parquet(group.path);
      const std::vector<std::string> columns = columns_of(schema, *reader, group.path);
      streams.push_back(std::make_unique<GroupRows>(std::move(reader), columns, group.groups));
    }
    return exec::open_in_turn(std::move(streams));
  };
}

}  // namespace vecframe::job
