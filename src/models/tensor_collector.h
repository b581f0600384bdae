// Gathers the tensors of a network by name, and complains once about all that is wrong: a network
// is loaded whole or not at all.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint.h"

namespace vecframe::models {

class TensorCollector {
 public:
  explicit TensorCollector(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  /// The tensor, or null (and an entry in the list of missing ones). A shape other than the
  /// expected one throws RequestError at once: config.json and weights do not belong together.
  const TensorInfo* require(const std::string& name, std::vector<std::int64_t> shape);
  /// The tensor, or null.
  const TensorInfo* find(const std::string& name, std::vector<std::int64_t> shape);

  /// Throws RequestError that lists what is missing, and what is there but was not asked for. A
  /// pattern of `ignored` matches a name that begins with it, or, when it begins with '*', one that
  /// ends with the rest.
  void finish(const std::vector<std::string_view>& ignored) const;

  std::int64_t parameters() const { return parameters_; }
  std::int64_t matrix_parameters() const { return matrix_parameters_; }

 private:
  const Checkpoint& checkpoint_;
  std::set<std::string, std::less<>> used_;
  std::vector<std::string> missing_;
  std::int64_t parameters_ = 0;
  std::int64_t matrix_parameters_ = 0;  // of tensors with two or more dimensions longer than 1
};

}  // namespace vecframe::models
