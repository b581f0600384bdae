// vecframe embed: image files or texts in, a Parquet file of vectors out.

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/byte_size.h"
#include "cli/command.h"
#include "cli/progress_line.h"

namespace vecframe::cli {
namespace {

constexpr const char* kExamples = R"(
Examples:
  vecframe embed photos/ -o photos.parquet --model builtin:efficientnet-lite0
  vecframe embed 'photos/**/*.jpg' more/ -o photos.parquet --model ./clip-vit-base-patch32
  vecframe embed photos/ -o parts/ --model ./dinov2 --normalize --on-error ignore --memory-limit 1G
  vecframe embed photos/ -o parts/ --model ./dinov2 --resume        # after a crash, or with new files
  vecframe embed photos/ -o parts/ --model ./dinov2 --shard 3/16    # one of 16 processes
  vecframe embed --text queries.txt -o queries.parquet --model openai/clip-vit-base-patch32
  echo 'a red bicycle' | vecframe embed --text - -o query.parquet --model openai/clip-vit-base-patch32)";

struct EmbedArguments {
  std::vector<std::string> inputs;
  std::optional<std::string> text;  // in place of inputs
  std::string output;
  std::optional<std::string> model, provider;
  std::string precision = "fp32", device = "auto", on_error = "log", orientation = "apply",
              memory_limit = "512M", dtype = "float32", pooling = "default";
  std::optional<std::int64_t> batch_size, limit, dimensions, image_size;
  int threads = 0;
  std::string stages;
  bool unordered = false;
  std::uint64_t max_pixels = ReadImagesOptions().max_pixels;
  bool normalize = false, overwrite = false, json = false;
  bool resume = false, retry_failed = false, prune = false, fast_decode = false;
  std::string detect = "time", shard = "1/1", bytes_per_part = "2G";
  std::int64_t rows_per_part = WriteOptions().rows_per_part;
  std::optional<double> max_error_rate;
  std::string dead_letter, cache, cache_size = "4G";
};

// "3/16": the third of sixteen.
void parse_shard(const std::string& text, WriteOptions& write) {
  long long index = 0, count = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%lld/%lld%c", &index, &count, &rest) != 2 || index < 1 ||
      index > count)
    throw RequestError("--shard: '" + text +
                       "' is no share; give I/N with I from 1 to N, such as 3/16");
  write.shard_index = index - 1;
  write.shard_count = count;
}

// "download=16,decode=4,embed=1".
Stages parse_stages(const std::string& text) {
  Stages stages;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    long long count = 0;
    char rest = 0;
    if (equals == std::string::npos ||
        std::sscanf(part.c_str() + equals + 1, "%lld%c", &count, &rest) != 1)
      throw RequestError("--stages: '" + part +
                         "' is no number of a stage; give download=16,decode=4,embed=1 or some of "
                         "them");
    stages.set(part.substr(0, equals), count);
  }
  return stages;
}

OnError to_on_error(const std::string& word) {
  return word == "raise" ? OnError::kRaise : word == "log" ? OnError::kLog : OnError::kIgnore;
}

void print_summary(const RunReport& report, const EmbedArguments& arguments) {
  const double rate = report.seconds > 0 ? static_cast<double>(report.rows) / report.seconds : 0;
  const char* rows = arguments.text ? "texts" : "images";
  for (const std::string& notice : report.notices) fmt::print(stderr, "note: {}\n", notice);
  if (report.rows == 0 && (arguments.resume || arguments.retry_failed)) {
    fmt::print(stderr, "nothing left to do -> {}\n", arguments.output);
    return;
  }
  fmt::print(stderr, "{} {}, {} embedded, {} failed, in {:.1f} s ({:.1f} {}/s) -> {}\n",
             report.rows, rows, report.rows - report.failed, report.failed, report.seconds, rate,
             rows, arguments.output);
  if (report.failed == 0 || arguments.on_error == "ignore") return;
  fmt::print(stderr, "warning: {} of {} rows have no vector; the error column says why:\n",
             report.failed, report.rows);
  for (const auto& [cause, count] : report.failures)
    fmt::print(stderr, "  {:<28} {}\n", cause, count);
}

void check_inputs(const EmbedArguments& arguments) {
  if (!arguments.text) {
    if (arguments.inputs.empty())
      throw RequestError("inputs: none; name image files or directories, or give --text FILE");
    return;
  }
  if (!arguments.inputs.empty())
    throw RequestError("--text: texts and images ('" + arguments.inputs.front() +
                       "') cannot go into one output; run one command for each");
  if (arguments.pooling != "default" || arguments.image_size)
    throw RequestError("--text: --pooling and --image-size are about images; leave them out");
  if (arguments.fast_decode)
    throw RequestError("--text: --fast-decode is about images; leave it out");
}

EmbedOptions embed_options(const EmbedArguments& arguments) {
  EmbedOptions embed;
  embed.provider = arguments.provider;
  embed.model = arguments.model;
  embed.dimensions = arguments.dimensions;
  embed.normalize = arguments.normalize;
  embed.dtype = arguments.dtype;
  embed.precision = arguments.precision;
  embed.device = arguments.device;
  embed.batch_size = arguments.batch_size;
  embed.on_error = to_on_error(arguments.on_error);
  embed.error_column = "error";
  return embed;
}

DataFrame image_frame(const EmbedArguments& arguments, const DownloadOptions& download) {
  EmbedImageOptions embed;
  static_cast<EmbedOptions&>(embed) = embed_options(arguments);
  embed.pooling = arguments.pooling;
  embed.image_size = arguments.image_size;
  ReadImagesOptions read;
  read.apply_orientation = arguments.orientation == "apply";
  read.max_pixels = arguments.max_pixels;
  read.fast_decode = arguments.fast_decode;
  return read_images(arguments.inputs, read)
      .with_column("embedding", embed_image(col("image"), embed, download))
      .select({"path", "embedding", "error", "width", "height", "format"});
}

DataFrame text_frame(const EmbedArguments& arguments, const DownloadOptions& download) {
  EmbedTextOptions embed;
  static_cast<EmbedOptions&>(embed) = embed_options(arguments);
  return read_texts(*arguments.text)
      .with_column("embedding", embed_text(col("text"), embed, download))
      .select({"text", "embedding", "error"});
}

int run_embed(const EmbedArguments& arguments) {
  check_inputs(arguments);
  WriteOptions write;
  write.threads = arguments.threads;
  write.stages = parse_stages(arguments.stages);
  write.ordered = !arguments.unordered;
  write.memory_limit = parse_byte_size(arguments.memory_limit);
  write.mode = arguments.overwrite ? WriteMode::kOverwrite : WriteMode::kError;
  if (arguments.overwrite && (arguments.resume || arguments.retry_failed))
    throw RequestError("--overwrite: an output is either replaced or gone on with (" +
                       std::string(arguments.resume ? "--resume" : "--retry-failed") +
                       "); give one of them");
  write.resume = arguments.resume;
  write.retry_failed = arguments.retry_failed;
  write.prune = arguments.prune;
  write.detect = arguments.detect == "content" ? Detect::kContent : Detect::kTime;
  parse_shard(arguments.shard, write);
  write.rows_per_part = arguments.rows_per_part;
  write.bytes_per_part = parse_byte_size(arguments.bytes_per_part);
  write.max_error_rate = arguments.max_error_rate;
  write.dead_letter = arguments.dead_letter;
  write.cache = arguments.cache;
  write.cache_bytes = parse_byte_size(arguments.cache_size);
  write.stop = stop_source();
  ProgressLine progress;
  std::mutex terminal;  // failures come from any thread
  write.on_progress = [&](const Progress& now) {
    std::lock_guard lock(terminal);
    progress.update(now);
  };
  write.on_failure = [&](const Failure& failure) {
    std::lock_guard lock(terminal);
    progress.clear();
    fmt::print(stderr, "warning: {}: {}\n", failure.path, failure.error);
  };

  DownloadOptions download;
  download.stop = stop_source();
  download.on_progress = [&](const DownloadProgress& now) { progress.update(now); };
  DataFrame frame =
      arguments.text ? text_frame(arguments, download) : image_frame(arguments, download);
  progress.clear();
  if (arguments.limit) frame = frame.limit(*arguments.limit);
  const RunReport report = frame.write_parquet(arguments.output, write);
  progress.clear();
  print_summary(report, arguments);
  if (arguments.json) fmt::print("{}\n", report.json);
  return kOk;
}

}  // namespace

void add_embed_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<EmbedArguments>();
  CLI::App* command = app.add_subcommand("embed", "Embed image files or texts into a Parquet file");
  std::string extensions;
  for (const std::string& extension : image_extensions())
    extensions += (extensions.empty() ? "" : " ") + extension;
  command->footer("A directory is walked for files named " + extensions +
                  "; files and globs are taken as named.\n" + kExamples);
  command->add_option("inputs", arguments->inputs,
                      "Image files, globs ('**' for any directories) or directories");
  command->add_option("--text", arguments->text,
                      "In place of images: a file of one text a line, or - for standard input");
  command
      ->add_option(
          "-o,--output", arguments->output,
          "A file that ends in .parquet, or a directory of parts, each of which appears when "
          "it is whole")
      ->required();
  command->add_option("--model", arguments->model,
                      "Directory of safetensors, builtin:NAME, or the hub id of a cached model; "
                      "see `vecframe models`");
  command->add_option("--provider", arguments->provider,
                      "Who runs the model; default transformers (run natively)");
  command
      ->add_option("--dimensions", arguments->dimensions, "Keep the first N values of each vector")
      ->check(CLI::PositiveNumber);
  command->add_flag("--normalize", arguments->normalize,
                    "Divide each vector, or what --dimensions keeps of it, by its L2 norm");
  command->add_option("--dtype", arguments->dtype, "Values of the vectors: float32 or float16")
      ->check(CLI::IsMember({"float32", "float16"}))
      ->capture_default_str();
  command
      ->add_option(
          "--pooling", arguments->pooling,
          "default: as the reference; cls: the class token; mean: the mean of the patches; "
          "both without projection")
      ->check(CLI::IsMember({"default", "cls", "mean"}))
      ->capture_default_str();
  command
      ->add_option("--image-size", arguments->image_size,
                   "Side of the picture that goes into the model; positions are interpolated")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--precision", arguments->precision,
                   "fp32, bf16, int8, fp16 (on GPUs), or auto: bf16 where the device has it")
      ->capture_default_str();
  command->add_option("--device", arguments->device, "auto, cpu, cuda, cuda:N or reference")
      ->capture_default_str();
  command
      ->add_option("--batch-size", arguments->batch_size,
                   "Rows a batch; default: measured, of what the memory limit allows")
      ->check(CLI::PositiveNumber);
  command->add_option("--threads", arguments->threads, "Worker threads; 0: one a processor")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--stages", arguments->stages,
                      "How many rows may be in a stage at a time, such as "
                      "download=16,decode=4,embed=1; what is not given is up to --threads");
  command->add_flag("--unordered", arguments->unordered,
                    "Write rows as they finish, so that a slow file holds nobody up");
  command
      ->add_option("--memory-limit", arguments->memory_limit,
                   "Memory for images in flight, on top of the weights")
      ->capture_default_str();
  command
      ->add_option("--on-error", arguments->on_error,
                   "A row that fails: raise stops the run, log warns, ignore keeps quiet; both "
                   "keep the row, without vector")
      ->check(CLI::IsMember({"raise", "log", "ignore"}))
      ->capture_default_str();
  command
      ->add_option("--max-error-rate", arguments->max_error_rate,
                   "Fail once a larger share of the rows has failed (from the 100th row on, and at "
                   "the end)")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--dead-letter", arguments->dead_letter,
                      "A file (.jsonl or .parquet) that gets the inputs that failed");
  command->add_option(
      "--cache", arguments->cache,
      "A directory that keeps vectors by the content of their pictures, for runs to "
      "come");
  command->add_option("--cache-size", arguments->cache_size, "Bytes of the cache at most")
      ->capture_default_str();
  command->add_option("--limit", arguments->limit, "Only the first N rows")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--overwrite", arguments->overwrite,
                    "Replace the output, when the new one is complete");
  command->add_flag("--resume", arguments->resume,
                    "Go on with an output directory: compute what is missing, changed, or of "
                    "another model");
  command->add_flag("--retry-failed", arguments->retry_failed,
                    "Compute rows that failed again; without --resume nothing else");
  command->add_flag("--prune", arguments->prune,
                    "With --resume: drop rows whose inputs are not there any more");
  command
      ->add_option("--detect", arguments->detect,
                   "What tells that an input changed: time (and size), or content, which reads it "
                   "once more")
      ->check(CLI::IsMember({"time", "content"}))
      ->capture_default_str();
  command
      ->add_option("--shard", arguments->shard,
                   "I/N: this process computes share I of N; the others write beside it")
      ->capture_default_str();
  command->add_option("--rows-per-part", arguments->rows_per_part, "Rows of a part at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--bytes-per-part", arguments->bytes_per_part,
                   "A part ends behind so many bytes of input files")
      ->capture_default_str();
  command->add_option("--orientation", arguments->orientation, "EXIF orientation: apply or ignore")
      ->check(CLI::IsMember({"apply", "ignore"}))
      ->capture_default_str();
  command->add_flag(
      "--fast-decode", arguments->fast_decode,
      "Decode a JPEG at 1/2, 1/4 or 1/8 of its size where that is still twice what "
      "the model's resize wants: less time and memory for large photographs, slightly "
      "other vectors");
  command
      ->add_option("--max-pixels", arguments->max_pixels,
                   "An image that claims more is a failed row")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print the report as JSON on standard output");
  command->callback(
      [arguments, &action] { action = [arguments] { return run_embed(*arguments); }; });
}

}  // namespace vecframe::cli
