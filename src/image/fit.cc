#include "image/fit.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "image/resize_window.h"

namespace vecframe::image {
namespace {

// Float32, in which the default resampler computes positions, is exact up to here.
constexpr std::uint64_t kLongestSide = 1u << 24;

// Half to even, as Python rounds; at least 1.
std::uint64_t rounded(double side) {
  return static_cast<std::uint64_t>(std::max(std::nearbyint(side), 1.0));
}

double ratio(std::uint32_t a, std::uint32_t b) { return static_cast<double>(a) / b; }

/// The side that `wanted` does not give follows from the ratio.
LongSize by_width(Size size, Size wanted) {
  return {wanted.width, rounded(ratio(size.height, size.width) * wanted.width)};
}
LongSize by_height(Size size, Size wanted) {
  return {rounded(ratio(size.width, size.height) * wanted.height), wanted.height};
}

/// What is resized, and where in the result it goes.
struct Plan {
  ResizeWindow window;
  Size result;
  std::uint32_t left = 0, top = 0;
};

std::uint32_t centred(std::uint32_t room) {
  return static_cast<std::uint32_t>(std::nearbyint(room * 0.5));
}

std::optional<Plan> plan_of(Size size, Size wanted, Fit fit, Filter filter, Resampler bilinear) {
  const Resampler resampler = filter == Filter::kBilinear ? bilinear : Resampler::kPillow13;
  Plan plan{{{0, 0, size.width, size.height}, wanted, {}, filter, resampler}, wanted};
  switch (fit) {
    case Fit::kFill:
      break;
    case Fit::kContain:
      plan.window.size = size_inside(size, wanted);
      plan.left = centred(wanted.width - plan.window.size.width);
      plan.top = centred(wanted.height - plan.window.size.height);
      break;
    case Fit::kInside:
      plan.window.size = plan.result = size_inside(size, wanted);
      break;
    case Fit::kCover: {
      const LongSize around = size_around(size, wanted);
      if (around.width > kLongestSide && around.width > wanted.width) return std::nullopt;
      if (around.height > kLongestSide && around.height > wanted.height) return std::nullopt;
      plan.window.size = {static_cast<std::uint32_t>(around.width),
                          static_cast<std::uint32_t>(around.height)};
      plan.window.window = {(plan.window.size.width - wanted.width) / 2,
                            (plan.window.size.height - wanted.height) / 2, wanted.width,
                            wanted.height};
      return plan;
    }
  }
  plan.window.window = {0, 0, plan.window.size.width, plan.window.size.height};
  return plan;
}

RowError refusal(ErrorCode code, std::string message) {
  return RowError{Stage::kPrepare, code, std::move(message)};
}

}  // namespace

Size size_inside(Size size, Size wanted) {
  const double is = ratio(size.width, size.height), should_be = ratio(wanted.width, wanted.height);
  if (is == should_be) return wanted;
  const LongSize inside = is > should_be ? by_width(size, wanted) : by_height(size, wanted);
  return {static_cast<std::uint32_t>(inside.width), static_cast<std::uint32_t>(inside.height)};
}

LongSize size_around(Size size, Size wanted) {
  const double is = ratio(size.width, size.height), should_be = ratio(wanted.width, wanted.height);
  if (is == should_be) return {wanted.width, wanted.height};
  return is < should_be ? by_width(size, wanted) : by_height(size, wanted);
}

double shrink_to_fit(Size size, Size wanted, Fit fit, Filter filter) {
  if (size.width == 0 || size.height == 0) return 1;
  const auto plan = plan_of(size, wanted, fit, filter, Resampler::kPillow13);
  return plan ? shrink_of(plan->window) : 1;
}

Result<Image> resize_to_fit(const Image& image, Size wanted, Fit fit, Filter filter,
                            Resampler bilinear, const std::optional<Whole>& whole) {
  if (image.width() == 0 || image.height() == 0)
    return refusal(ErrorCode::kUnsupported, "a picture without pixels cannot be resized");
  if (bytes_per_sample(image.mode()) != 1)
    return refusal(ErrorCode::kUnsupported,
                   fmt::format("pictures of mode {} cannot be resized; convert them to 8 bits",
                               to_string(image.mode())));
  const Size full = whole ? whole->size : image.size();
  auto plan = plan_of(full, wanted, fit, filter, bilinear);
  if (!plan)
    return refusal(ErrorCode::kTooManyPixels,
                   fmt::format("a picture of {}x{} would have to be enlarged beyond {} pixels a "
                               "side to cover {}x{}",
                               full.width, full.height, kLongestSide, wanted.width, wanted.height));
  if (whole) take_from_reduced(plan->window, *whole, image.size());
  try {
    Image result(image.mode(), plan->result);
    const Box& part = plan->window.window;
    if (part.width != result.width() || part.height != result.height())
      std::memset(result.row(0), 0, result.pixels().size());
    resize_window(image, plan->window,
                  result.row(plan->top) +
                      plan->left * static_cast<std::size_t>(bytes_per_pixel(image.mode())),
                  result.row_bytes());
    return result;
  } catch (const std::bad_alloc&) {
    return refusal(ErrorCode::kOverBudget, "the system has no memory to resize this picture");
  }
}

std::uint64_t resize_to_fit_bytes(Mode mode, Size size, Size wanted, Fit fit, Filter filter,
                                  Resampler bilinear) {
  if (size.width == 0 || size.height == 0 || bytes_per_sample(mode) != 1) return 0;
  const auto plan = plan_of(size, wanted, fit, filter, bilinear);
  if (!plan) return 0;
  return std::uint64_t{plan->result.width} * plan->result.height *
             static_cast<std::uint64_t>(bytes_per_pixel(mode)) +
         resize_window_bytes(plan->window, num_channels(mode));
}

}  // namespace vecframe::image
