// Finished rows on their way out of the window: on the calling thread of a run, in the order of the
// input or as they finish.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "exec/pipeline.h"
#include "exec/reorder_window.h"
#include "exec/row_consumer.h"
#include "exec/stage_clock.h"

namespace vecframe::exec {

class Departures {
 public:
  struct Options {
    bool has_vectors = true;
    bool ordered = true;
  };
  Departures(ReorderWindow& window, const Options& options, RowSink& sink, RowConsumer& consumer,
             Counters& counters)
      : window_(window), options_(options), sink_(sink), consumer_(consumer), counters_(counters) {}

  /// Hands a row to the consumer, if one may leave before the time is over.
  void let_one_leave(std::chrono::milliseconds patience);

 private:
  std::optional<std::int64_t> take_held_back();
  bool accepts(std::int64_t ticket) {
    return options_.ordered || sink_.accepts(window_.facts(ticket).row);
  }
  void leave(std::int64_t ticket);

  ReorderWindow& window_;
  const Options options_;
  RowSink& sink_;
  RowConsumer& consumer_;
  Counters& counters_;
  std::vector<std::int64_t> held_back_;  // tickets that the sink did not accept
  bool may_accept_ = false;              // one of them: a row has left since
};

}  // namespace vecframe::exec
