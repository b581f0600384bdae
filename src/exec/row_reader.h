// Reads encoded pictures into their share of the budget, and their headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/byte_budget.h"
#include "base/cancellation.h"
#include "base/result.h"
#include "exec/encoded_share.h"
#include "exec/reorder_window.h"
#include "exec/stage_clock.h"
#include "exec/work_queue.h"
#include "image/prepare.h"
#include "image/probe.h"

namespace vecframe::exec {

/// Thread-safe.
class RowReader {
 public:
  struct Options {
    std::int64_t room_bytes = 0;  ///< of the budget, for files and pictures
    image::DecodeLimits decode;
    bool apply_orientation = true;
    bool fast_decode = false;
    std::optional<image::PrepareSpec> prepare;  ///< nothing: pictures are not decoded
  };
  RowReader(const Options& options, EncodedShare& share, ByteBudget& budget, Counters& counters,
            const CancellationToken& stopping)
      : options_(options),
        share_(share),
        budget_(budget),
        counters_(counters),
        stopping_(stopping) {}

  /// Reads the file of `facts`, whose ticket is `row`, and probes it; sets size and format if the
  /// header could be read. What is returned once the run stops means nothing. Errors: stages read
  /// and decode.
  Result<EncodedRow> read(std::int64_t row, RowFacts& facts) const;
  /// What decoding and preparing this picture takes of the budget.
  std::int64_t working_bytes_of(const EncodedRow& encoded) const;

 private:
  Result<EncodedRow> fetch(std::int64_t row, RowFacts& facts, std::int64_t size, bool alone) const;
  RowError over_budget(Stage stage, const std::string& what, std::int64_t needed) const;

  const Options options_;
  EncodedShare& share_;
  ByteBudget& budget_;
  Counters& counters_;
  const CancellationToken& stopping_;
};

}  // namespace vecframe::exec
