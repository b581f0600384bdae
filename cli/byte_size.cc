#include "cli/byte_size.h"

#include <vecframe/error.h>

#include <cmath>
#include <cstdlib>

namespace vecframe::cli {

std::int64_t parse_byte_size(const std::string& text) {
  const auto refuse = [&] {
    return RequestError("--memory-limit: '" + text +
                        "' is no amount of memory; write bytes, or 512M, 2GiB");
  };
  if (text.empty() || !(text[0] >= '0' && text[0] <= '9')) throw refuse();
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit(end);
  double factor = 0;
  if (unit.empty() || unit == "B") factor = 1;
  if (unit == "K" || unit == "KiB") factor = 0x1p10;
  if (unit == "M" || unit == "MiB") factor = 0x1p20;
  if (unit == "G" || unit == "GiB") factor = 0x1p30;
  const double bytes = number * factor;
  if (factor == 0 || !std::isfinite(bytes) || bytes > 0x1p62) throw refuse();
  return static_cast<std::int64_t>(bytes);
}

}  // namespace vecframe::cli
