// Linear layers and attention of the sizes of vision transformers, as a share of the FMA probe, and
// layer norms by the bytes they move.

#include <CLI/CLI.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "compute/ratio.h"

namespace vecframe::benchmarks {
namespace {

using compute::Activation;
using compute::Matrix;
using tensor::Precision;

struct Shape {
  std::int64_t rows, in, out;
  Activation activation;
};

// All, or those with this many rows.
std::vector<Shape> shapes(std::int64_t rows) {
  std::vector<Shape> list;
  const auto add_block = [&](std::int64_t height, std::int64_t width) {
    list.push_back({height, width, 3 * width, Activation::kNone});
    list.push_back({height, width, width, Activation::kNone});
    list.push_back({height, width, 4 * width, Activation::kGeluErf});
    list.push_back({height, 4 * width, width, Activation::kNone});
  };
  add_block(16 * 50, 768);
  add_block(16 * 197, 768);
  add_block(16 * 257, 1024);
  add_block(50, 768);
  if (rows != 0) std::erase_if(list, [&](const Shape& shape) { return shape.rows != rows; });
  return list;
}

std::vector<float> random_values(std::int64_t count) {
  std::minstd_rand random(7);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random() % 2001) * 1e-3f - 1;
  return values;
}

Line run(compute::Backend& backend, const Shape& shape, const RatioOptions& options) {
  const std::vector<float> weight = random_values(shape.in * shape.out);
  const auto linear =
      backend.pack(compute::LinearWeights{weight, random_values(shape.out), shape.in, shape.out},
                   options.precision);
  struct Lane {
    std::unique_ptr<compute::Stream> stream;
    Matrix x, y;
  };
  std::vector<Lane> lanes;
  const std::vector<float> values = random_values(shape.rows * shape.in);
  for (int t = 0; t < options.threads; ++t) {
    Lane lane{backend.make_stream(), {}, {}};
    lane.x = {lane.stream->allocate(shape.rows * shape.in), shape.rows, shape.in, shape.in};
    lane.y = {lane.stream->allocate(shape.rows * shape.out), shape.rows, shape.out, shape.out};
    lane.stream->broadcast_rows(*backend.upload(values), 1, shape.rows, 0, lane.x);
    lanes.push_back(std::move(lane));
  }
  const double flops = 2.0 * static_cast<double>(shape.rows * shape.in * shape.out);
  const Ratio ratio = measure(options, flops, [&](int t) {
    Lane& lane = lanes[static_cast<std::size_t>(t)];
    lane.stream->linear(*linear, lane.x, shape.activation, {}, lane.y);
  });
  return {std::string(to_string(options.precision)) + " " + std::to_string(shape.rows) + " x " +
              std::to_string(shape.in) + " x " + std::to_string(shape.out) +
              (shape.activation == Activation::kNone ? "" : " + GELU"),
          ratio};
}

struct Heads {
  std::int64_t batch, tokens, heads, dim;
};

Line run(compute::Backend& backend, const Heads& shape, const RatioOptions& options) {
  const std::int64_t rows = shape.batch * shape.tokens, width = shape.heads * shape.dim;
  const auto stream = backend.make_stream();
  Matrix qkv{stream->allocate(rows * 3 * width), rows, 3 * width, 3 * width};
  const Matrix out{stream->allocate(rows * width), rows, width, width};
  stream->broadcast_rows(*backend.upload(random_values(rows * 3 * width)), 1, rows, 0, qkv);
  const double flops = 4.0 * static_cast<double>(rows * shape.tokens * width);
  const Ratio ratio = measure(options, flops, [&](int) {
    stream->attention(qkv, shape.batch, shape.heads, 0.125f, options.precision, out);
  });
  return {std::string(to_string(options.precision)) + " attention " + std::to_string(shape.batch) +
              " x " + std::to_string(shape.tokens) + " tokens, " + std::to_string(shape.heads) +
              " heads of " + std::to_string(shape.dim),
          ratio};
}

// In place of operations, the bytes that are read and written.
Line run_norm(compute::Backend& backend, std::int64_t rows, std::int64_t width,
              const RatioOptions& options) {
  const auto stream = backend.make_stream();
  const auto one = backend.upload(random_values(width));
  const Matrix x{stream->allocate(rows * width), rows, width, width};
  const Matrix y{stream->allocate(rows * width), rows, width, width};
  stream->broadcast_rows(*backend.upload(random_values(rows * width)), 1, rows, 0, x);
  const Ratio ratio = measure(options, 8.0 * static_cast<double>(rows * width), [&](int) {
    stream->normalize(compute::NormKind::kLayerNorm, *one, one.get(), 1e-5f, x, y);
  });
  return {"layer norm " + std::to_string(rows) + " x " + std::to_string(width) + ", in GB/s",
          ratio};
}

int main_of(int argc, char** argv) {
  CLI::App app("Linear layers and attention as a share of the FMA probe");
  RatioOptions options;
  std::string isa, json, precision = "all";
  std::int64_t rows = 0;
  app.add_option("--isa", isa, "Instruction set; default: the best");
  app.add_option("--precision", precision)->check(CLI::IsMember({"fp32", "bf16", "int8", "all"}));
  app.add_option("--rows", rows, "Only products with this many rows")
      ->check(CLI::IsMember({50, 800, 3152, 4112}));
  app.add_option("--threads", options.threads, "Streams, one thread each");
  app.add_option("--pairs", options.pairs, "Pairs of probe and work");
  app.add_flag_callback(
      "--thread-time", [&] { options.clock = ClockKind::kThread; },
      "Count only the time a thread held a core: for shared machines");
  app.add_option("--json", json, "Also write the figures to this file");
  CLI11_PARSE(app, argc, argv);
  const auto backend = backends::cpu::make_cpu_backend({isa});
  options.isa = backend->info().details;
  std::vector<Line> lines;
  for (const Precision p : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    if (precision != "all" && precision != to_string(p)) continue;
    if (!backend->supports(p)) continue;
    options.precision = p;
    for (const Shape& shape : shapes(rows)) lines.push_back(run(*backend, shape, options));
    if (options.threads > 1) continue;  // attention is measured on one stream
    for (const Heads& shape :
         {Heads{16, 50, 12, 64}, Heads{16, 197, 12, 64}, Heads{4, 257, 16, 64}})
      if (rows == 0 || rows == shape.tokens) lines.push_back(run(*backend, shape, options));
  }
  options.precision = Precision::kFp32;
  if (options.threads == 1)
    for (const std::int64_t height : {800, 3152})
      if (rows == 0) lines.push_back(run_norm(*backend, height, 768, options));
  const std::vector<std::string> notes = {"rows x in x out; " + options.isa + ", " +
                                          std::to_string(options.threads) + " thread(s)"};
  print(notes, lines);
  if (!json.empty()) write_json(json, notes, lines);
  return 0;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) { return vecframe::benchmarks::main_of(argc, argv); }
