#include "exec/stages.h"

#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace vecframe {
namespace {

void check(const std::string& name, std::int64_t count) {
  if (count < 1 || count > Stages::kMost)
    throw RequestError("stages: " + name + "=" + std::to_string(count) +
                       " is out of range; give 1 to " + std::to_string(Stages::kMost));
}

}  // namespace

void Stages::set(const std::string& name, std::int64_t count) {
  std::optional<int>* const stage = name == "download" ? &download
                                    : name == "decode" ? &decode
                                    : name == "embed"  ? &embed
                                                       : nullptr;
  if (stage == nullptr) {
    const std::string nearest = nearest_name(name, {"download", "decode", "embed"});
    throw RequestError("stages: '" + name +
                       "' is not known; the stages are download, decode and embed" +
                       (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  }
  check(name, count);
  *stage = static_cast<int>(count);
}

namespace exec {

void check_stages(const Stages& stages) {
  for (const auto& [name, count] :
       {std::pair("download", stages.download), std::pair("decode", stages.decode),
        std::pair("embed", stages.embed)})
    if (count) check(name, *count);
}

Concurrency concurrency_of(const Stages& stages, int threads) {
  Concurrency result;
  result.readers = stages.download.value_or(std::clamp(threads, 2, 4));
  result.decoders = stages.decode.value_or(threads);
  result.lanes = stages.embed.value_or(threads);
  // Who asks for so many of both wants them side by side.
  const int wanted = stages.decode.value_or(0) + stages.embed.value_or(0);
  result.workers = std::min(result.decoders + result.lanes, std::max(threads, wanted));
  result.decoders = std::min(result.decoders, result.workers);
  result.lanes = std::min(result.lanes, result.workers);
  return result;
}

Concurrency concurrency_of_map(const Stages& stages, int threads) {
  const int wanted =
      stages.download.value_or(0) + stages.decode.value_or(0) + stages.embed.value_or(0);
  Concurrency result;
  result.workers = std::max(threads, wanted);
  result.readers = std::min(stages.download.value_or(result.workers), result.workers);
  result.decoders = std::min(stages.decode.value_or(threads), result.workers);
  result.lanes = std::min(stages.embed.value_or(threads), result.workers);
  return result;
}

}  // namespace exec
}  // namespace vecframe
