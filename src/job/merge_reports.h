// Manifest and report of an output that several processes wrote.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "job/output_directory.h"
#include "job/shard.h"
#include "storage/table_io.h"

namespace vecframe::job {

/// "_report-00003-of-00016.json"
std::string share_report_name(ShardShare share);

/// One report of many: counts and times of threads are added, wall times and peaks are the largest.
/// Its size depends on how many there were only by the names of the parts.
class ReportSum {
 public:
  ReportSum();
  ~ReportSum();
  /// JSON as Report::to_json() gives it; what is none is passed by.
  void add(const std::string& report);
  std::int64_t size() const { return size_; }
  /// `facts`: a JSON object of what is known of all together, in the place of sums. `base`: a
  /// report of what belongs to none of them; only its totals are those of the sum.
  std::string to_json(const std::string& facts = "{}", const std::string& base = "{}") const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::int64_t size_ = 0;
};

std::string merge_reports(const std::vector<std::string>& reports);

struct MergedOutput {
  bool complete = false;  ///< all shares have ended
  std::int64_t parts = 0, rows = 0, failed = 0;
  std::int64_t shares = 0, missing_shares = 0;
};

/// Writes the manifest anew from what the parts say of themselves, and the report from those of the
/// shares, if there are any. For one process at a time; others wait. Throws RequestError if the
/// directory holds no parts of a job.
MergedOutput merge_shares(const DirectoryFiles& directory, storage::TableModule& tables);

/// Whether the manifest says that the last run came to its end.
bool is_complete(const DirectoryFiles& directory);

}  // namespace vecframe::job
