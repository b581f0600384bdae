// The list of an output's parts. Derived: the parts are what counts, and say all of it themselves.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "columnar/schema.h"
#include "job/part_counts.h"

namespace vecframe::job {

struct Manifest {
  columnar::Schema schema;
  bool complete = false;  ///< false while a run goes on, and after one that broke off
  std::map<std::int64_t, PartCounts> parts;  ///< by shard

  PartCounts total() const;
  std::string to_json() const;
};

}  // namespace vecframe::job
