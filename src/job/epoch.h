// Keeps workers of a run that is over from committing into the next one's directory.
//
// A run whose shards are computed by other processes writes a token into `_job`; a worker commits
// only while its own token stands there, and holds a lock on the file meanwhile. So once the next
// run has replaced the token, what the directory holds changes only by its own hand.
#pragma once

#include <string>

namespace vecframe::job {

/// Puts a new token in the place of an earlier one, after every commit that is under way.
std::string begin_epoch(const std::string& directory);
/// Takes the token away, if there is one.
void end_epoch(const std::string& directory);

/// While it lives the token stands. Throws RunError if it does not.
class EpochGuard {
 public:
  EpochGuard(const std::string& directory, const std::string& token);
  ~EpochGuard();
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;

 private:
  int file_ = -1;
};

}  // namespace vecframe::job
