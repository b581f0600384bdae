#include <vecframe/error.h>

#include <string>

#include "exec/pipeline.h"
#include "exec/stages.h"

namespace vecframe::exec {

void check_options(const PipelineOptions& options, std::int64_t dimension) {
  if (options.threads < 0) {
    throw RequestError("threads=" + std::to_string(options.threads) +
                       " is negative; give 0 for one a processor");
  }
  check_stages(options.stages);
  if (options.batch_size < 0) {
    throw RequestError("batch_size=" + std::to_string(options.batch_size) +
                       " is negative; give 0 to have it chosen");
  }
  if (options.limit && *options.limit < 0) {
    throw RequestError("limit=" + std::to_string(*options.limit) +
                       " is negative; give a number of rows");
  }
  if (options.vector.dimensions && dimension > 0 &&
      (*options.vector.dimensions < 1 || *options.vector.dimensions > dimension)) {
    throw RequestError("dimensions=" + std::to_string(*options.vector.dimensions) +
                       " is out of range; the vectors have " + std::to_string(dimension));
  }
}

}  // namespace vecframe::exec
