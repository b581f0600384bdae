#include <vecframe/error.h>

#include <string>

#include "job/embed_job.h"

namespace vecframe::job {

void check_options(const OutputOptions& options, const std::string& output) {
  const auto positive = [](const char* name, std::int64_t value) {
    if (value <= 0)
      throw RequestError(std::string(name) + "=" + std::to_string(value) +
                         " is not positive; give a number");
  };
  positive("rows_per_part", options.rows_per_part);
  positive("bytes_per_part", options.bytes_per_part);
  if (options.share.count < 1 || options.share.index < 0 ||
      options.share.index >= options.share.count)
    throw RequestError("shard: " + std::to_string(options.share.index + 1) + "/" +
                       std::to_string(options.share.count) +
                       " is out of range; give I/N with I from 1 to N");
  const bool resumes = options.mode == WriteMode::kResume;
  if ((options.retry_failed || options.prune) && !resumes)
    throw RequestError(std::string(options.prune ? "prune" : "retry_failed") +
                       ": only a run that goes on with an output can do that; add resume");
  if (!options.share.whole() && output_kind(output) == OutputKind::kFile)
    throw RequestError(
        "shard: several processes cannot write one file; give a directory in place "
        "of '" +
        output + "'");
  if (!options.share.whole() && !resumes)
    throw RequestError(
        "shard: a share of a run goes on with what the others write; it neither "
        "overwrites nor appends");
  if (options.prune && !options.share.whole())
    throw RequestError("prune: one process has to see all inputs; run it once without shard");
}

}  // namespace vecframe::job
