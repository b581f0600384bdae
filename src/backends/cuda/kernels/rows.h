// Kernels that move, add, turn, gate and normalise rows. Memory is their limit, so one kernel
// serves all storages: what it asks of each value is the same for the whole grid.
#pragma once

#include "backends/cuda/kernels/activation.h"
#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {

/// Row i of `to` counted by `jump` rows after every `period`, from `first` on.
struct RowMap {
  std::int64_t first = 0, period = 1, jump = 1;
  VECFRAME_KERNEL std::int64_t operator()(std::int64_t i) const {
    return first + i / period * jump + i % period;
  }
};

/// to[to_row(to_first + i)] = from[row(i)], or += : row(i) is table[i], or first + (i % period) *
/// step.
struct MoveRows {
  static constexpr int kThreads = 128;
  struct Shared {};

  Cells from, to;
  std::int64_t columns;
  std::int64_t from_first, from_period, from_step;
  const std::int64_t* table;  // of source rows, or null
  RowMap to_row;
  bool accumulate;
  std::int64_t to_first;  // of the rows that to_row counts

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const std::int64_t i = block.index();
    const std::int64_t source =
        table != nullptr ? table[i] : from_first + i % from_period * from_step;
    const std::int64_t target = to_row(to_first + i);
    block.each([&](int t) {
      for (std::int64_t c = t; c < columns; c += kThreads) {
        const float value = load(from, source, c);
        store(to, target, c, accumulate ? load(to, target, c) + value : value);
      }
    });
  }
};

/// Adds up what every thread gives: f(thread) becomes the sum over the block, for all threads.
template <class B, class F>
VECFRAME_KERNEL void sum_over_block(B& block, float* of_warps, int threads, F f) {
  block.template sum_over<kWarp>(f);
  block.each([&](int t) {
    if (t % kWarp == 0) of_warps[t / kWarp] = f(t);
  });
  block.each([&](int t) {
    float sum = 0;
    for (int w = 0; w < threads / kWarp; ++w) sum += of_warps[w];
    f(t) = sum;
  });
}

/// LayerNorm or RMS norm, a block a row. Rows that are wide and short enough are read once.
struct Normalize {
  static constexpr int kThreads = 128;
  struct Shared {
    float of_warps[kThreads / kWarp];
  };

  Cells x, y;
  std::int64_t columns;
  const float* weight;
  const float* bias;  // or null
  float epsilon;
  bool centred;  // LayerNorm

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const bool fits = columns <= std::int64_t{kThreads} * kWide;
    if (fits && columns % kWide == 0 && is_wide(x) && is_wide(y)) return run_once(block);
    typename B::template PerThread<float> mean, sum;
    const std::int64_t row = block.index();
    float* of_warps = block.shared().of_warps;
    const auto total = [&](int t) -> float& { return sum[t]; };
    block.each_alone([&](int t) {
      mean[t] = sum[t] = 0;
      if (!centred) return;
      for (std::int64_t c = t; c < columns; c += kThreads) sum[t] += load(x, row, c);
    });
    if (centred) sum_over_block(block, of_warps, kThreads, total);
    block.each_alone([&](int t) {
      mean[t] = sum[t] / static_cast<float>(columns);
      sum[t] = 0;
      for (std::int64_t c = t; c < columns; c += kThreads) {
        const float distance = load(x, row, c) - mean[t];
        sum[t] += distance * distance;
      }
    });
    sum_over_block(block, of_warps, kThreads, total);
    block.each([&](int t) {
      const float inverse = 1.0f / sqrtf(sum[t] / static_cast<float>(columns) + epsilon);
      for (std::int64_t c = t; c < columns; c += kThreads) {
        const float value = (load(x, row, c) - mean[t]) * inverse * weight[c];
        store(y, row, c, bias != nullptr ? value + bias[c] : value);
      }
    });
  }

 private:
  template <class B>
  VECFRAME_KERNEL void run_once(B& block) const {
    typename B::template PerThread<Eight> values;
    typename B::template PerThread<float> sum;
    const std::int64_t row = block.index();
    float* of_warps = block.shared().of_warps;
    const auto total = [&](int t) -> float& { return sum[t]; };
    const auto inside = [&](int t) { return std::int64_t{t} * kWide < columns; };
    block.each_alone([&](int t) {
      sum[t] = 0;
      if (!inside(t)) return;
      values[t] = load_eight(x, row, std::int64_t{t} * kWide);
      if (!centred) return;
      VECFRAME_UNROLL
      for (int i = 0; i < kWide; ++i) sum[t] += values[t].of[i];
    });
    if (centred) sum_over_block(block, of_warps, kThreads, total);
    block.each_alone([&](int t) {
      const float mean = sum[t] / static_cast<float>(columns);
      sum[t] = 0;
      if (!inside(t)) return;
      VECFRAME_UNROLL
      for (int i = 0; i < kWide; ++i) {
        values[t].of[i] -= mean;
        sum[t] += values[t].of[i] * values[t].of[i];
      }
    });
    sum_over_block(block, of_warps, kThreads, total);
    block.each([&](int t) {
      if (!inside(t)) return;
      const float inverse = 1.0f / sqrtf(sum[t] / static_cast<float>(columns) + epsilon);
      const std::int64_t first = std::int64_t{t} * kWide;
      VECFRAME_UNROLL
      for (int i = 0; i < kWide; ++i) {
        const float value = values[t].of[i] * inverse * weight[first + i];
        values[t].of[i] = bias != nullptr ? value + bias[first + i] : value;
      }
      store_eight(y, row, first, values[t]);
    });
  }
};

/// Rotary positions in place; a block a row, a thread a pair.
struct RotatePairs {
  static constexpr int kThreads = 128;
  struct Shared {};

  Cells x;
  std::int64_t heads, head_dim;
  std::int64_t rows;  // that turn, of each image
  RowMap row;
  const float* turns;  // (rows, cosines and sines)

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const std::int64_t half = head_dim / 2, i = block.index(), r = row(i);
    const float* turn = turns + i % rows * head_dim;
    block.each([&](int t) {
      for (std::int64_t pair = t; pair < heads * half; pair += kThreads) {
        const std::int64_t c = pair % half, at = pair / half * head_dim + c;
        const float p = load(x, r, at), q = load(x, r, at + half);
        const float cosine = turn[c], sine = turn[half + c];
        store(x, r, at, p * cosine - q * sine);
        store(x, r, at + half, q * cosine + p * sine);
      }
    });
  }
};

/// y = act(first half of x) * second half, a block a row.
struct Gate {
  static constexpr int kThreads = 128;
  struct Shared {};

  Cells x, y;
  std::int64_t columns;  // of y
  compute::Activation activation;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const std::int64_t row = block.index();
    block.each([&](int t) {
      for (std::int64_t c = t; c < columns; c += kThreads)
        store(y, row, c, activate(activation, load(x, row, c)) * load(x, row, columns + c));
    });
  }
};

/// y = act(y) in place, then + residual: what the library's product leaves to do.
struct Finish {
  static constexpr int kThreads = 128;
  struct Shared {};

  Cells y, residual;  // residual.data may be null
  std::int64_t columns;
  compute::Activation activation;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const std::int64_t row = block.index();
    const bool has_residual = residual.data != nullptr;
    const bool wide = columns % kWide == 0 && is_wide(y) && (!has_residual || is_wide(residual));
    block.each([&](int t) {
      for (std::int64_t c = std::int64_t{t} * kWide; wide && c < columns; c += kThreads * kWide) {
        Eight values = load_eight(y, row, c);
        VECFRAME_UNROLL
        for (int i = 0; i < kWide; ++i) values.of[i] = activate(activation, values.of[i]);
        if (has_residual) {
          const Eight added = load_eight(residual, row, c);
          VECFRAME_UNROLL
          for (int i = 0; i < kWide; ++i) values.of[i] += added.of[i];
        }
        store_eight(y, row, c, values);
      }
      if (wide) return;
      for (std::int64_t c = t; c < columns; c += kThreads) {
        float value = load(y, row, c);
        value = activate(activation, value);
        if (has_residual) value += load(residual, row, c);
        store(y, row, c, value);
      }
    });
  }
};

/// Mean of `count` rows from first on, of every image; a block an image and 128 columns.
struct MeanRows {
  static constexpr int kThreads = 128;
  struct Shared {};

  Cells x, y;
  std::int64_t columns, rows_per_image, first;

  VECFRAME_KERNEL static std::int64_t chunks(std::int64_t columns) {
    return (columns + kThreads - 1) / kThreads;
  }

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const std::int64_t image = block.index() / chunks(columns);
    const std::int64_t left = block.index() % chunks(columns) * kThreads;
    block.each([&](int t) {
      const std::int64_t c = left + t;
      if (c >= columns) return;
      float sum = 0;
      for (std::int64_t i = first; i < rows_per_image; ++i)
        sum += load(x, image * rows_per_image + i, c);
      store(y, image, c, sum / static_cast<float>(rows_per_image - first));
    });
  }
};

/// Rows in another storage, with zeros up to `padded` columns; a block a row.
struct ConvertRows {
  static constexpr int kThreads = 128;
  struct Shared {};

  Cells from, to;
  std::int64_t columns, padded;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const std::int64_t row = block.index();
    block.each([&](int t) {
      for (std::int64_t c = t; c < padded; c += kThreads)
        store(to, row, c, c < columns ? load(from, row, c) : 0.0f);
    });
  }
};

}  // namespace vecframe::backends::cuda
