#include "cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace vecframe::cli {

std::string progress_text(const Progress& progress) {
  const double rate =
      progress.seconds > 0 ? static_cast<double>(progress.rows) / progress.seconds : 0;
  std::string text =
      fmt::format("{} of {}{}", progress.rows, progress.listed, progress.listing_done ? "" : "+");
  if (progress.listing_done && progress.listed > 0)
    text += fmt::format("  {} %", 100 * progress.rows / progress.listed);
  text += fmt::format("  {:.1f} images/s", rate);
  if (progress.listing_done && rate > 0) {
    const auto left =
        static_cast<long>(static_cast<double>(progress.listed - progress.rows) / rate + 0.5);
    text += left >= 3600
                ? fmt::format("  {}:{:02}:{:02} left", left / 3600, left / 60 % 60, left % 60)
                : fmt::format("  {}:{:02} left", left / 60, left % 60);
  }
  if (progress.failed > 0) text += fmt::format("  {} failed", progress.failed);
  return text;
}

ProgressLine::ProgressLine() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::update(const Progress& progress) {
  if (!on_terminal_) return;
  fmt::print(stderr, "\r\033[K{}", progress_text(progress));
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
