// A shard as it goes to another process: all that computing it takes besides the plan.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "job/shard.h"

namespace vecframe::job {

struct ShardSpec {
  Shard shard;
  std::string recipe;  ///< fingerprint: whoever has another plan refuses the shard
  std::string epoch;   ///< token of the run it belongs to
  std::vector<std::pair<std::string, InputKey>> files;
  std::int64_t num_texts = 0;  ///< rows of shard.texts
  std::string inputs;          ///< of a plan of steps

  std::int64_t num_rows() const {
    return num_texts > 0 ? num_texts : static_cast<std::int64_t>(files.size());
  }
};

std::string to_json(const ShardSpec& spec);
/// Throws RequestError for anything else.
ShardSpec parse_shard_spec(const std::string& json);

}  // namespace vecframe::job
