#include "cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace vecframe::cli {
namespace {

// "  1:23 left".
std::string left_text(double seconds) {
  const auto left = static_cast<long>(seconds + 0.5);
  return left >= 3600 ? fmt::format("  {}:{:02}:{:02} left", left / 3600, left / 60 % 60, left % 60)
                      : fmt::format("  {}:{:02} left", left / 60, left % 60);
}

}  // namespace

std::string progress_text(const Progress& progress) {
  const double rate =
      progress.seconds > 0 ? static_cast<double>(progress.rows) / progress.seconds : 0;
  std::string text =
      fmt::format("{} of {}{}", progress.rows, progress.listed, progress.listing_done ? "" : "+");
  if (progress.listing_done && progress.listed > 0)
    text += fmt::format("  {} %", 100 * progress.rows / progress.listed);
  text += fmt::format("  {:.1f} images/s", rate);
  // Of each stage, so that the one that holds the others up shows.
  if (progress.seconds > 0 && progress.read > 0) {
    const auto per_second = [&](std::int64_t rows) {
      return static_cast<double>(rows) / progress.seconds;
    };
    text += fmt::format(" (read {:.0f}", per_second(progress.read));
    if (progress.prepared > 0)
      text += fmt::format(", prepare {:.0f}", per_second(progress.prepared));
    text += fmt::format(", embed {:.0f})", per_second(progress.embedded));
  }
  if (progress.listing_done && rate > 0)
    text += left_text(static_cast<double>(progress.listed - progress.rows) / rate);
  if (progress.duplicates + progress.cache_hits > 0)
    text += fmt::format("  {} known", progress.duplicates + progress.cache_hits);
  if (progress.failed > 0) text += fmt::format("  {} failed", progress.failed);
  return text;
}

std::string progress_text(const DownloadProgress& progress) {
  const auto megabytes = [](std::int64_t bytes) { return static_cast<double>(bytes) / 1e6; };
  std::string text = fmt::format("{}  {:.1f} of {:.1f} MB", progress.file,
                                 megabytes(progress.bytes), megabytes(progress.total));
  if (progress.total > 0)
    text += fmt::format("  {:.0f} %", 100 * megabytes(progress.bytes) / megabytes(progress.total));
  // The first moments say nothing of the rate.
  if (progress.seconds < 0.5 || progress.received <= 0) return text;
  const double rate = megabytes(progress.received) / progress.seconds;
  return text + fmt::format("  {:.1f} MB/s", rate) +
         left_text(megabytes(progress.total - progress.bytes) / rate);
}

ProgressLine::ProgressLine() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::draw(const std::string& text) {
  if (!on_terminal_) return;
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressLine::clear() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace vecframe::cli
