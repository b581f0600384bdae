// Preparing pictures alone, beside what it is made of.
//
//   prepare_rates FOLDER THREADS ROUNDS
//
// prints one JSON object: milliseconds an image and core, medians of rounds in turns, of
//   decode     libjpeg-turbo alone, to RGB in one buffer that is used again
//   resize     CLIP's resize and crop to 224 of pictures that are decoded already
//   prepare    both as the executor does them: probe, decode, orient, convert, resize, crop
//   fast       prepare, with pictures decoded reduced (fast_decode)
// and the share of the third that the first two account for. JPEG files that are not RGB or gray,
// or broken, are left out.

#include <vecframe/error.h>

// clang-format off
#include <cstdio>
#include <jpeglib.h>  // does not include what it uses: after cstdio
// clang-format on

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "exec/prepare_row.h"
#include "image/prepare.h"
#include "image/probe.h"
#include "image/reduce.h"
#include "program.h"
#include "storage/listing.h"
#include "storage/local_file.h"

namespace vecframe::benchmarks {
namespace {

constexpr std::int64_t kMaxFileBytes = std::int64_t{64} << 20;
// Of pictures that wait decoded for the resize: the rest of a large folder repeats them.
constexpr std::size_t kMaxDecodedBytes = std::size_t{1} << 30;

using Bytes = std::vector<std::byte>;
using Clock = std::chrono::steady_clock;

struct Failure {
  jpeg_error_mgr manager{};
  std::jmp_buf jump{};
};

[[noreturn]] void fail(j_common_ptr jpeg) {
  std::longjmp(reinterpret_cast<Failure*>(jpeg->err)->jump, 1);
}

// Nothing here has a destructor: errors leave by longjmp. False: broken, or no room in `pixels`.
bool decode_alone(const Bytes& file, std::uint8_t* pixels, std::size_t room) {
  jpeg_decompress_struct jpeg{};
  Failure failure;
  jpeg.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = fail;
  failure.manager.output_message = [](j_common_ptr) {};
  if (setjmp(failure.jump) != 0) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&jpeg);
  const std::size_t stride = std::size_t{jpeg.output_width} * 3;
  const bool fits = stride * jpeg.output_height <= room;
  while (fits && jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = pixels + jpeg.output_scanline * stride;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  if (fits) jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return fits;
}

image::PrepareSpec clip_recipe() {
  image::PrepareSpec spec;
  spec.resize = image::ResizeRule::kShortestEdge;
  spec.shortest_edge = 224;
  spec.crop = image::CropRule::kTorchvision;
  spec.crop_height = spec.crop_width = 224;
  return spec;
}

// Milliseconds of all `count` pieces, a piece and thread.
double milliseconds(int threads, std::size_t count,
                    const std::function<void(std::size_t, std::vector<std::uint8_t>&)>& work) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> team;
  const auto begun = Clock::now();
  for (int t = 0; t < threads; ++t) {
    team.emplace_back([&] {
      std::vector<std::uint8_t> buffer;
      for (std::size_t i = next++; i < count; i = next++) work(i, buffer);
    });
  }
  for (std::thread& thread : team) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  return 1000 * seconds * threads / static_cast<double>(count);
}

int run(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: prepare_rates FOLDER THREADS ROUNDS\n");
    return 2;
  }
  const int threads = std::max(1, std::atoi(argv[2])), rounds = std::max(1, std::atoi(argv[3]));
  const image::PrepareSpec spec = clip_recipe();
  std::vector<Bytes> files;
  std::vector<image::Image> decoded;
  std::size_t largest = 0, held = 0;
  const auto listing = storage::list_images({argv[1]});
  while (auto path = listing->next()) {
    auto bytes = storage::read_file(*path, kMaxFileBytes);
    if (!bytes.ok()) continue;
    const auto info = image::probe(*bytes);
    if (!info.ok() || info->format != image::Format::kJpeg) continue;
    const std::size_t size = std::size_t{info->size.width} * info->size.height * 3;
    largest = std::max(largest, size);
    std::vector<std::uint8_t> pixels(size);
    if (!decode_alone(*bytes, pixels.data(), size)) continue;
    auto picture = exec::decode_rgb(*bytes, *info, /*apply_orientation=*/true);
    if (!picture.ok()) continue;
    files.push_back(std::move(bytes).value());
    if (held + size <= kMaxDecodedBytes) decoded.push_back(std::move(picture).value());
    held += size;
  }
  if (files.empty()) throw RequestError("no JPEG file that can be read");
  std::vector<double> decode, resize, prepare, fast;
  for (int round = 0; round < rounds; ++round) {
    decode.push_back(milliseconds(threads, files.size(), [&](std::size_t i, auto& buffer) {
      buffer.resize(largest);
      decode_alone(files[i], buffer.data(), largest);
    }));
    resize.push_back(milliseconds(threads, files.size(), [&](std::size_t i, auto& buffer) {
      buffer.resize(spec.slot_bytes());
      if (!image::prepare(spec, decoded[i % decoded.size()], buffer).ok()) std::abort();
    }));
    for (const bool reduce : {false, true}) {
      (reduce ? fast : prepare)
          .push_back(milliseconds(threads, files.size(), [&](std::size_t i, auto& buffer) {
            buffer.resize(spec.slot_bytes());
            image::ImageInfo info = *image::probe(files[i]);
            const image::Size size = image::whole_of(info, /*upright=*/true).size;
            if (reduce) info = image::reduced(info, image::shrink_of(spec, size));
            if (!exec::prepare_row(files[i], info, spec, /*apply_orientation=*/true, buffer).ok())
              std::abort();
          }));
    }
  }
  std::vector<double> shares;
  for (std::size_t i = 0; i < prepare.size(); ++i)
    shares.push_back((decode[i] + resize[i]) / prepare[i]);
  const nlohmann::ordered_json result{
      {"files", files.size()},         {"threads", threads},
      {"decode_ms", median(decode)},   {"resize_ms", median(resize)},
      {"prepare_ms", median(prepare)}, {"fast_ms", median(fast)},
      {"share", median(shares)},       {"images_per_second", 1000 * threads / median(prepare)}};
  std::printf("%s\n", result.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) {
  return vecframe::benchmarks::run_program("prepare_rates", vecframe::benchmarks::run, argc, argv);
}
