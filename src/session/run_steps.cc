#include "session/run_steps.h"

#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exec/row_consumer.h"
#include "exec/sources.h"
#include "exec/stages.h"
#include "exec/steps.h"
#include "job/dead_letters.h"
#include "job/step_job.h"
#include "job/step_shards.h"
#include "job/vector_store.h"
#include "plan/change_calls.h"
#include "plan/explain.h"
#include "plan/steps.h"
#include "providers/http/fetch_url.h"
#include "session/output_options.h"
#include "session/parquet_files.h"
#include "session/provider_call.h"
#include "session/resolve_call.h"
#include "session/run_plan.h"
#include "session/table_module.h"
#include "storage/listing.h"
#include "storage/local_file.h"

namespace vecframe::session {
namespace {

bool is_url(const std::string& location) {
  return location.starts_with("http://") || location.starts_with("https://");
}

Result<std::vector<std::byte>> fetch_file(const std::string& location,
                                          const exec::Reserve& reserve) {
  constexpr std::string_view kScheme = "file://";
  const std::string path =
      location.starts_with(kScheme) ? location.substr(kScheme.size()) : location;
  const Result<std::int64_t> size = storage::file_size(path);
  if (!size) return size.error();
  if (!reserve(*size)) return RowError{Stage::kRead, ErrorCode::kIoError, "stopped"};
  return storage::read_file(path, *size);
}

exec::Fetch fetch_with(const CancellationToken& cancellation) {
  return [&cancellation](const std::string& location, const exec::Reserve& reserve) {
    return is_url(location) ? providers::fetch_url(location, reserve, cancellation)
                            : fetch_file(location, reserve);
  };
}

// Opens a source for the columns of `schema` alone.
struct SourceOpener {
  const columnar::Schema& schema;

  std::unique_ptr<exec::Operator> operator()(const plan::ReadImages& node) const {
    return exec::open_paths(storage::list_images(node.inputs), schema);
  }
  std::unique_ptr<exec::Operator> operator()(const plan::FromGlob& node) const {
    return exec::open_paths(storage::list_images(node.patterns), schema);
  }
  std::unique_ptr<exec::Operator> operator()(const plan::ReadTexts& node) const {
    return exec::open_texts(storage::open_text_lines(node.path));
  }
  std::unique_ptr<exec::Operator> operator()(const plan::FromMemory& node) const {
    std::vector<std::size_t> columns;
    for (const columnar::Field& field : schema.fields)
      columns.push_back(static_cast<std::size_t>(node.schema.find(field.name)));
    return exec::open_memory(node.morsels, std::move(columns));
  }
  std::unique_ptr<exec::Operator> operator()(const plan::ReadParquet& node) const {
    std::vector<std::unique_ptr<exec::Operator>> files;
    for (const std::string& path : node.files)
      files.push_back(std::make_unique<ParquetFile>(path, schema));
    return exec::open_in_turn(std::move(files));
  }
  template <class Node>
  std::unique_ptr<exec::Operator> operator()(const Node& /*node*/) const {
    throw RunError("this node is no source");
  }

 private:
  // Opened when its turn comes.
  class ParquetFile final : public exec::Operator {
   public:
    ParquetFile(std::string path, columnar::Schema schema)
        : path_(std::move(path)), schema_(std::move(schema)) {}
    std::optional<columnar::Morsel> next() override {
      if (!rows_) open();
      return rows_->next();
    }

   private:
    void open() {
      reader_ = table_module().open_parquet(path_);
      std::vector<std::string> names;
      for (const columnar::Field& field : schema_.fields) {
        // Values are read as the plan says, so the file must still be what the plan was built for.
        const int index = reader_->schema().find(field.name);
        if (index < 0 ||
            !(reader_->schema().fields[static_cast<std::size_t>(index)].type == field.type))
          throw RunError("read_parquet: '" + path_ + "' has no column '" + field.name +
                         "' of type " + field.type.to_string() + " any more; build the plan again");
        names.push_back(field.name);
      }
      ArrowArrayStream stream{};
      reader_->open_stream(names, &stream);
      rows_ = exec::open_stream(stream);
    }

    const std::string path_;
    const columnar::Schema schema_;
    std::unique_ptr<storage::TableReader> reader_;
    std::unique_ptr<exec::Operator> rows_;
  };
};

// A call without the words that only say how it is carried out.
std::optional<plan::EmbedCall> plain_call(const plan::EmbedCall& call) {
  plan::EmbedCall plain = call;
  plain.batch_size = plain.concurrency = plain.max_retries = std::nullopt;
  plain.num_gpus.reset();
  return plain;
}

// The plan as it is explained, without its source and what only says how it runs: which files are
// read, or in which batches, is not part of what comes out.
std::string operations_of(const plan::LogicalPlan& plan) {
  const plan::PlanPointer plain = plan::change_calls(
      std::make_shared<const plan::LogicalPlan>(plan), plain_call, relational_source());
  std::istringstream lines(plan::explain(*plain));
  std::vector<std::string> kept;
  for (std::string line; std::getline(lines, line);)
    if (line.find("Properties = {") == std::string::npos) kept.push_back(std::move(line));
  std::string text;
  for (std::size_t i = 0; i + 1 < kept.size(); ++i) text += kept[i] + "\n";
  return text;
}

// The number of rows of the result, where it is known before the plan runs.
std::optional<std::int64_t> expected_rows(const plan::StepPlan& plan) {
  std::int64_t rows = 0;
  for (const plan::Step& step : plan.steps) {
    if (const auto* source = std::get_if<plan::SourceStep>(&step.value)) {
      if (const auto* memory = std::get_if<plan::FromMemory>(&source->source)) {
        for (const columnar::Morsel& morsel : *memory->morsels) rows += morsel.num_rows;
      } else {
        const auto* parquet = std::get_if<plan::ReadParquet>(&source->source);
        if (parquet == nullptr || !parquet->num_rows) return std::nullopt;
        rows += *parquet->num_rows;
      }
    } else if (const auto* limit = std::get_if<plan::LimitStep>(&step.value)) {
      rows = std::min(rows, limit->count);
    } else if (std::holds_alternative<plan::FilterStep>(step.value) ||
               std::holds_alternative<plan::SampleStep>(step.value) ||
               std::holds_alternative<plan::ConcatStep>(step.value)) {
      return std::nullopt;
    }
  }
  return rows;
}

bool embeds_pictures(const plan::StepPlan& plan) {
  for (const plan::Step& step : plan.steps) {
    const auto* map = std::get_if<plan::MapStep>(&step.value);
    if (map == nullptr) continue;
    for (const plan::ComputedColumn& column : map->columns) {
      const auto* call = std::get_if<plan::EmbedCall>(&column.node->value);
      if (call != nullptr && call->function == plan::EmbedFunction::kImage &&
          call->handle == nullptr)
        return true;
    }
  }
  return false;
}

// A run of steps and all that it refers to.
struct StepRun {
  StepRun(const plan::LogicalPlan& plan, const RunOptions& options)
      : cancellation(token_of(options)),
        context{.threads = options.threads,
                .morsel_rows = options.morsel_rows,
                .memory_limit = options.memory_limit,
                .cancellation = cancellation,
                .fetch = fetch_with(cancellation),
                .relational = relational_source()} {
    if (options.threads < 0) {
      throw RequestError("threads: " + std::to_string(options.threads) +
                         " is negative; give 0 for one a processor");
    }
    exec::check_stages(options.stages);
    context.stages = options.stages;
    context.ordered = options.ordered;
    job.plan = plan::lower_to_steps(plan, context.relational);
    job.expected_rows = expected_rows(job.plan);
    job.description = operations_of(plan);
    for (const plan::LogicalPlan* node = &plan; node != nullptr; node = node->input.get())
      if (const auto* images = std::get_if<plan::ReadImages>(&node->node))
        context.decode.max_pixels = images->options.max_pixels;
    context.open_source = [](const plan::SourceStep& step, const columnar::Schema& schema) {
      return std::visit(SourceOpener{schema}, step.source);
    };
    context.image_stage = [this, options](const plan::EmbedCall& call) {
      const auto descriptor = describe_image_call(call, options);
      if (!job.embedder) job.embedder = descriptor->facts();
      return exec::EmbedStage{descriptor->instantiate(), descriptor->prepare_spec(),
                              descriptor->facts().dimension};
    };
    context.text_stage = [this, options](const plan::EmbedCall& call) {
      const auto descriptor = describe_text_call(call, options);
      if (!job.embedder) job.embedder = descriptor->facts();
      return exec::TextStage{descriptor->instantiate(), descriptor->facts().dimension};
    };
    context.row_descriptor = [this](const plan::EmbedCall& call) -> exec::RowDescriptor {
      const auto& embedder = dynamic_cast<const ProviderEmbedder&>(*call.handle);
      if (!job.embedder) job.embedder = facts_of(embedder.descriptor());
      return embedder.descriptor();
    };
    if (options.on_failure)
      context.on_failure = [callback = options.on_failure](const std::string& row,
                                                           const RowError& error) {
        callback({row, error.to_string()});
      };
    if (options.on_progress)
      progress = [callback = options.on_progress](const exec::Statistics& s) {
        callback(to_progress(s));
      };
  }
  StepRun(const StepRun&) = delete;

  const CancellationToken& cancellation;
  exec::StepContext context;
  job::StepJob job;
  exec::ProgressCallback progress;
};

// Steps pulled by whoever takes their rows.
class StepRows final : public RowSource {
 public:
  StepRows(const plan::LogicalPlan& plan, const RunOptions& options)
      : run_(plan, options),
        schema_(job::output_schema(run_.job)),
        on_progress_(run_.progress),
        begun_(std::chrono::steady_clock::now()) {
    run_.context.statistics = &statistics_;
    run_.context.tick = [this] { look(); };
    root_ = exec::open_steps(run_.job.plan, run_.context);
  }
  // Operators that pull from each other end their waits.
  ~StepRows() override { run_.context.abandoned->cancel(); }

  const std::shared_ptr<const columnar::Schema>& schema() const override { return schema_; }

  std::optional<columnar::Batch> next() override {
    if (run_.cancellation.cancelled()) throw Cancelled();
    puller_ = std::this_thread::get_id();
    const std::optional<columnar::Morsel> morsel = root_->next();
    if (run_.cancellation.cancelled()) throw Cancelled();
    {
      std::lock_guard lock(*run_.context.report_mutex);
      if (morsel) statistics_.rows += morsel->num_rows;
      job::note_listed(run_.job, run_.context, !morsel, statistics_);
    }
    report();
    if (!morsel) return std::nullopt;
    ArrowArray array;
    columnar::export_morsel(*morsel, &array);
    return columnar::Batch(schema_, array);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void report() {
    shown_ = Clock::now();
    exec::Statistics now;
    {
      std::lock_guard lock(*run_.context.report_mutex);
      statistics_.seconds = std::chrono::duration<double>(shown_ - begun_).count();
      exec::count_into(*run_.context.counters, statistics_);
      now = statistics_;
    }
    if (on_progress_) on_progress_(now);
  }
  // While rows are awaited, on whatever thread pulls; whoever takes the rows may end the run.
  void look() {
    constexpr std::chrono::milliseconds kInterval{100};
    if (std::this_thread::get_id() == puller_ && Clock::now() - shown_ >= kInterval) report();
  }

  StepRun run_;
  exec::Statistics statistics_;
  const std::shared_ptr<const columnar::Schema> schema_;
  const exec::ProgressCallback on_progress_;
  const Clock::time_point begun_;
  Clock::time_point shown_ = Clock::now();  // of the thread that takes rows
  std::atomic<std::thread::id> puller_ = std::this_thread::get_id();
  std::unique_ptr<exec::Operator> root_;  // dies first: it refers to all the rest
};

void use_cache(StepRun& run, const WriteOptions& options) {
  if (!embeds_pictures(run.job.plan))
    throw RequestError(
        "cache: vectors are kept of pictures that a model of this process embeds, and this plan "
        "has none; leave it out");
  run.context.vector_cache = [options](const plan::EmbedCall& call,
                                       const std::string& preparation) {
    const job::VectorStoreOptions store{options.cache, options.cache_bytes};
    const auto recipe =
        job::vector_recipe(describe_image_call(call, options)->facts(), preparation);
    return std::make_shared<job::VectorStore>(store, recipe);
  };
}

void set_output(StepRun& run, const std::string& path, const WriteOptions& options) {
  job::StepJob& job = run.job;
  job.output = path;
  job.writing = output_options(options);
  job.dead_letter = options.dead_letter;
  if (!options.dead_letter.empty()) job::check_dead_letters(options.dead_letter);
  job.max_error_rate = options.max_error_rate;
  if (!options.cache.empty()) use_cache(run, options);
}

}  // namespace

plan::RelationalSource relational_source() {
  return []() -> const storage::Relational& { return table_module().relational(); };
}

job::Report write_steps(const plan::LogicalPlan& plan, const std::string& path,
                        const WriteOptions& options) {
  StepRun run(plan, options);
  set_output(run, path, options);
  return job::run(run.job, run.context, table_module(), run.progress);
}

std::unique_ptr<job::PlannedJob> plan_steps(const plan::LogicalPlan& plan, const std::string& path,
                                            const WriteOptions& options) {
  StepRun run(plan, options);
  set_output(run, path, options);
  return std::make_unique<job::PlannedJob>(run.job, run.context, table_module());
}

struct StepShards::Impl {
  Impl(const plan::LogicalPlan& plan, const std::string& path, const WriteOptions& options)
      : run(plan, options), context(job::shard_context(run.context)) {
    set_output(run, path, options);
    context.vector_cache = run.context.vector_cache;
  }
  StepRun run;
  exec::StepContext context;
};

StepShards::StepShards(const plan::LogicalPlan& plan, const std::string& path,
                       const WriteOptions& options)
    : impl_(std::make_unique<Impl>(plan, path, options)) {}
StepShards::~StepShards() = default;

job::Report StepShards::run(const job::ShardSpec& spec) {
  return job::run_shard(impl_->run.job, impl_->context, spec, table_module(), impl_->run.progress);
}

struct StepTables::Impl {
  Impl(const plan::LogicalPlan& plan, const RunOptions& options)
      : run(plan, options), context(job::shard_context(run.context)) {
    const plan::LogicalPlan* source = &plan;
    while (source->input != nullptr) source = source->input.get();
    const auto* table = std::get_if<plan::FromMemory>(&source->node);
    if (table == nullptr)
      throw RequestError("plan: it does not begin with a table; begin it with from_arrow()");
    fields = table->schema.fields;
  }
  StepRun run;
  exec::StepContext context;
  std::vector<columnar::Field> fields;
};

StepTables::StepTables(const plan::LogicalPlan& plan, const RunOptions& options)
    : impl_(std::make_unique<Impl>(plan, options)) {}
StepTables::~StepTables() = default;

job::Collected StepTables::run(ArrowArrayStream* table) {
  const plan::PlanPointer source = memory_plan(table);
  const auto& node = std::get<plan::FromMemory>(source->node);
  if (node.schema.fields != impl_->fields)
    throw RequestError("table: its columns are not those that the plan was built for");
  impl_->context.open_source = [&node](const plan::SourceStep& /*step*/,
                                       const columnar::Schema& schema) {
    return SourceOpener{schema}(node);
  };
  return job::collect(impl_->run.job, impl_->context, impl_->run.progress);
}

job::Collected collect_steps(const plan::LogicalPlan& plan, const RunOptions& options) {
  StepRun run(plan, options);
  return job::collect(run.job, run.context, run.progress);
}

std::unique_ptr<RowSource> stream_steps(const plan::LogicalPlan& plan, const RunOptions& options) {
  return std::make_unique<StepRows>(plan, options);
}

std::int64_t count_plan(const plan::LogicalPlan& plan, const RunOptions& options) {
  // A column that no step needs is not computed, so a plan that gives none of them counts rows.
  const auto none = std::make_shared<plan::LogicalPlan>(
      plan::LogicalPlan{plan::Select{}, std::make_shared<plan::LogicalPlan>(plan), {}});
  StepRun run(*plan_to_run(*none, options), options);
  const job::Collected collected = job::collect(run.job, run.context, run.progress);
  return collected.report.statistics.rows;
}

plan::PlanPointer read_parquet_plan(const std::vector<std::string>& paths) {
  if (paths.empty()) throw RequestError("read_parquet: no paths; name a file or a directory");
  plan::ReadParquet node;
  for (const std::string& path : paths)
    for (std::string& file : parquet_files(path)) node.files.push_back(std::move(file));
  node.num_rows = 0;
  for (const std::string& file : node.files) {
    const auto reader = table_module().open_parquet(file);
    *node.num_rows += reader->facts().num_rows;
    if (&file == &node.files.front()) {
      node.schema = reader->schema();
    } else if (reader->schema().fields != node.schema.fields) {
      throw RequestError("read_parquet: '" + file + "' has other columns or types than '" +
                         node.files.front() + "'; read them apart");
    }
  }
  return plan::read_parquet(std::move(node));
}

plan::PlanPointer memory_plan(ArrowArrayStream* stream) {
  ArrowSchema schema{};
  if (stream == nullptr || stream->release == nullptr || stream->get_schema(stream, &schema) != 0)
    throw RequestError("data: the Arrow stream cannot be read");
  plan::FromMemory node;
  try {
    node.schema = columnar::import_schema(schema);
  } catch (...) {
    schema.release(&schema);
    throw;
  }
  schema.release(&schema);
  auto morsels = std::make_shared<std::vector<columnar::Morsel>>();
  const auto rows = exec::open_stream(*stream);
  stream->release = nullptr;
  while (std::optional<columnar::Morsel> morsel = rows->next())
    morsels->push_back(std::move(*morsel));
  node.morsels = std::move(morsels);
  return plan::from_memory(std::move(node));
}

}  // namespace vecframe::session
