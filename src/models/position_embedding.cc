#include "models/position_embedding.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vecframe::models {
namespace {

struct Tap {
  std::int64_t index;
  float weight;
};
// Of one output coordinate.
using Taps = std::vector<Tap>;

// Keys' cubic, in its two pieces: |u| <= 1 and 1 <= |u| <= 2.
template <class T>
T near(T a, T u) {
  return ((a + 2) * u - (a + 3)) * u * u + 1;
}
template <class T>
T far(T a, T u) {
  return ((a * u - 5 * a) * u + 8 * a) * u - 4 * a;
}

// Four taps; those beyond the border are the border's.
std::vector<Taps> cubic_taps(std::int64_t in, std::int64_t out) {
  constexpr float a = -0.75f;
  std::vector<Taps> all;
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (std::int64_t i = 0; i < out; ++i) {
    const float x = scale * (static_cast<float>(i) + 0.5f) - 0.5f;
    const float left = std::floor(x);
    const float t = std::clamp(x - left, 0.0f, 1.0f);
    const auto at = [&](std::int64_t k) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(left) + k, 0, in - 1);
    };
    all.push_back({{at(-1), far(a, t + 1)},
                   {at(0), near(a, t)},
                   {at(1), near(a, 1 - t)},
                   {at(2), far(a, 2 - t)}});
  }
  return all;
}

// Two taps; coordinates before the first are the first.
std::vector<Taps> linear_taps(std::int64_t in, std::int64_t out) {
  std::vector<Taps> all;
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (std::int64_t i = 0; i < out; ++i) {
    const float x = std::max(scale * (static_cast<float>(i) + 0.5f) - 0.5f, 0.0f);
    const auto left = std::min(static_cast<std::int64_t>(x), in - 1);
    const float t = x - static_cast<float>(left);
    all.push_back({{left, 1 - t}, {std::min(left + 1, in - 1), t}});
  }
  return all;
}

double triangle(double u) { return std::max(0.0, 1 - std::fabs(u)); }

double cubic(double u) {
  constexpr double a = -0.5;
  u = std::fabs(u);
  return u < 1 ? near(a, u) : u < 2 ? far(a, u) : 0.0;
}

// The filter, `reach` wide to either side, grows with the scale when shrinking; taps beyond the
// border are left out.
template <class Kernel>
std::vector<Taps> antialiased_taps(std::int64_t in, std::int64_t out, double reach, Kernel kernel) {
  std::vector<Taps> all;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0), support = reach * stretch;
  for (std::int64_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - support + 0.5), 0);
    const auto last = std::min<std::int64_t>(static_cast<std::int64_t>(centre + support + 0.5), in);
    double sum = 0;
    for (std::int64_t j = first; j < last; ++j)
      sum += kernel((static_cast<double>(j) - centre + 0.5) / stretch);
    Taps taps;
    for (std::int64_t j = first; j < last; ++j)
      taps.push_back(
          {j, static_cast<float>(kernel((static_cast<double>(j) - centre + 0.5) / stretch) / sum)});
    all.push_back(std::move(taps));
  }
  return all;
}

std::vector<Taps> taps_of(PositionFilter filter, std::int64_t in, std::int64_t out) {
  switch (filter) {
    case PositionFilter::kBicubic:
      return cubic_taps(in, out);
    case PositionFilter::kBicubicAntialiased:
      return antialiased_taps(in, out, 2, cubic);
    case PositionFilter::kBilinearAntialiased:
      return antialiased_taps(in, out, 1, triangle);
  }
  return {};
}

// `to` (outer, taps.size(), inner) from `from` (outer, in, inner).
void resample(const float* from, std::int64_t outer, std::int64_t in, std::int64_t inner,
              const std::vector<Taps>& all, float* to) {
  for (std::int64_t o = 0; o < outer; ++o, from += in * inner) {
    for (const Taps& taps : all) {
      std::fill_n(to, inner, 0.0f);
      for (const Tap& tap : taps)
        for (std::int64_t c = 0; c < inner; ++c) to[c] += tap.weight * from[tap.index * inner + c];
      to += inner;
    }
  }
}

// `angle_of` (coordinate, of how many): what the frequencies multiply.
template <class Angle>
std::vector<float> turns(std::int64_t head_dim, double base, Grid grid, Angle angle_of) {
  const std::int64_t quarter = head_dim / 4;
  std::vector<float> rows;
  rows.reserve(static_cast<std::size_t>(grid.height * grid.width * head_dim));
  std::vector<double> angles;
  for (std::int64_t y = 0; y < grid.height; ++y) {
    for (std::int64_t x = 0; x < grid.width; ++x) {
      angles.clear();
      for (const double at : {angle_of(y, grid.height), angle_of(x, grid.width)})
        for (std::int64_t j = 0; j < quarter; ++j)
          angles.push_back(at *
                           std::pow(base, -static_cast<double>(j) / static_cast<double>(quarter)));
      for (const double angle : angles) rows.push_back(static_cast<float>(std::cos(angle)));
      for (const double angle : angles) rows.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  return rows;
}

}  // namespace

std::vector<float> resize_positions(std::span<const float> positions, std::int64_t prefix,
                                    std::int64_t width, Grid from, Grid to, PositionFilter filter) {
  if (from == to) return {positions.begin(), positions.end()};
  const auto values = [](std::int64_t count) { return static_cast<std::size_t>(count); };
  std::vector<float> result(values((prefix + to.height * to.width) * width));
  std::copy_n(positions.begin(), prefix * width, result.begin());
  const float* trained = positions.data() + prefix * width;
  float* resized = result.data() + prefix * width;
  const auto horizontal = taps_of(filter, from.width, to.width);
  const auto vertical = taps_of(filter, from.height, to.height);
  // In the order that needs less memory between the passes; a strip may be many times wider than
  // the trained grid.
  if (from.height * to.width <= to.height * from.width) {
    std::vector<float> between(values(from.height * to.width * width));
    resample(trained, from.height, from.width, width, horizontal, between.data());
    resample(between.data(), 1, from.height, to.width * width, vertical, resized);
  } else {
    std::vector<float> between(values(to.height * from.width * width));
    resample(trained, 1, from.height, from.width * width, vertical, between.data());
    resample(between.data(), to.height, from.width, width, horizontal, resized);
  }
  return result;
}

std::vector<float> distance_table(std::span<const float> stored, std::int64_t heads, Grid from,
                                  Grid to) {
  const auto distances = [](Grid grid) { return Grid{2 * grid.height - 1, 2 * grid.width - 1}; };
  const Grid old = distances(from), wanted = distances(to);
  const std::int64_t count = wanted.height * wanted.width;
  const auto values = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  std::vector<float> wide(values(old.height * wanted.width * heads));
  std::vector<float> rows(values(count * heads));
  resample(stored.data(), old.height, old.width, heads, linear_taps(old.width, wanted.width),
           wide.data());
  resample(wide.data(), 1, old.height, wanted.width * heads, linear_taps(old.height, wanted.height),
           rows.data());
  const float* special = stored.data() + old.height * old.width * heads;
  rows.insert(rows.end(), special, special + 3 * heads);
  // From the key's distance to the query to the query's to the key, and head by head.
  std::vector<float> table;
  table.reserve(rows.size());
  for (std::int64_t h = 0; h < heads; ++h) {
    for (std::int64_t i = 0; i < count; ++i)
      table.push_back(rows[values((count - 1 - i) * heads + h)]);
    for (std::int64_t i = count; i < count + 3; ++i) table.push_back(rows[values(i * heads + h)]);
  }
  return table;
}

std::vector<float> sine_positions(std::int64_t width, Grid grid) {
  const std::int64_t quarter = width / 4;
  std::vector<float> rows;
  rows.reserve(static_cast<std::size_t>(grid.height * grid.width * width));
  for (std::int64_t y = 0; y < grid.height; ++y) {
    for (std::int64_t x = 0; x < grid.width; ++x) {
      for (const std::int64_t at : {x, y}) {
        const auto angle = [&](std::int64_t k) {
          return static_cast<double>(at) *
                 std::pow(10000.0, -static_cast<double>(k) / static_cast<double>(quarter));
        };
        for (std::int64_t k = 0; k < quarter; ++k)
          rows.push_back(static_cast<float>(std::sin(angle(k))));
        for (std::int64_t k = 0; k < quarter; ++k)
          rows.push_back(static_cast<float>(std::cos(angle(k))));
      }
    }
  }
  return rows;
}

std::vector<float> centred_turns(std::int64_t head_dim, double base, Grid grid) {
  const auto angle = [](std::int64_t at, std::int64_t count) {
    const double centre = 2 * (static_cast<double>(at) + 0.5) / static_cast<double>(count) - 1;
    return 2 * std::numbers::pi * centre;
  };
  return turns(head_dim, base, grid, angle);
}

std::vector<float> scaled_turns(std::int64_t head_dim, double base, double reference, Grid grid) {
  const auto angle = [&](std::int64_t at, std::int64_t count) {
    return static_cast<double>(at) / static_cast<double>(count) * reference;
  };
  return turns(head_dim, base, grid, angle);
}

}  // namespace vecframe::models
