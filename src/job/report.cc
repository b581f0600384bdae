#include <nlohmann/json.hpp>

#include "exec/vector_cache.h"
#include "job/embed_job.h"

namespace vecframe::job {

std::string Report::to_json() const {
  using Json = nlohmann::ordered_json;
  const exec::Statistics& s = statistics;
  Json json;
  json["version"] = library_version;
  json["rows"] = s.rows;
  json["ok"] = s.rows - s.failed;
  json["failed"] = s.failed;
  json["failures"] = Json::object();
  for (const auto& [cause, count] : s.failures) json["failures"][cause] = count;
  json["causes"] = Json::array();
  for (const auto& [cause, count] : s.failures) {
    const std::size_t slash = cause.find('/');
    json["causes"].push_back({{"stage", cause.substr(0, slash)},
                              {"code", slash == std::string::npos ? "" : cause.substr(slash + 1)},
                              {"count", count}});
  }
  json["seconds"] = s.seconds;
  json["load_seconds"] = load_seconds;
  json[of_texts ? "texts_per_second" : "images_per_second"] =
      s.seconds > 0 ? static_cast<double>(s.rows) / s.seconds : 0.0;
  json["stages"] = {{"read", s.read_seconds},
                    {"prepare", s.prepare_seconds},
                    {"embed", s.embed_seconds},
                    {"write", s.write_seconds}};
  json["waiting"] = {{"read", s.read_wait_seconds},
                     {"prepare", s.prepare_wait_seconds},
                     {"embed", s.embed_wait_seconds},
                     {"write", s.write_wait_seconds}};
  const auto rate = [](std::int64_t rows, double seconds) {
    return seconds > 0 ? static_cast<double>(rows) / seconds : 0.0;
  };
  json["rates"] = {{"read", rate(s.rows_read, s.read_seconds)},
                   {"prepare", rate(s.rows_prepared, s.prepare_seconds)},
                   {"embed", rate(s.rows_embedded, s.embed_seconds)},
                   {"write", rate(s.rows, s.write_seconds)}};
  json["counts"] = {{"read", s.rows_read},
                    {"prepare", s.rows_prepared},
                    {"embed", s.rows_embedded},
                    {"write", s.rows}};
  json["duplicates"] = s.duplicates;
  json["cache_hits"] = s.cache_hits;
  json["retries"] = s.retries;
  json["bytes_read"] = s.bytes_read;
  json["batches"] = s.batches;
  json["batch_size"] = s.batch_size;
  json["memory_failures"] = s.memory_failures;
  json["threads"] = s.threads;
  json["concurrency"] = {{"download", s.concurrency.readers},
                         {"decode", s.concurrency.decoders},
                         {"embed", s.concurrency.lanes}};
  json["memory"] = {{"limit", s.budget_bytes},
                    {"budget_peak", s.peak_budget_bytes},
                    {"process_peak", peak_memory_bytes},
                    {"weights", embedder.weight_bytes}};
  if (embedder.dimension > 0) {
    json["model"] = {{"name", embedder.model},
                     {"provider", embedder.provider},
                     {"family", embedder.family},
                     {"revision", embedder.revision},
                     {"licence", embedder.licence},
                     {"fingerprint", embedder.model_fingerprint},
                     {"processor_fingerprint", embedder.processor_fingerprint},
                     {"dimension", embedder.dimension},
                     {"precision", tensor::to_string(embedder.precision)},
                     {"device", embedder.device},
                     {"parameters", embedder.parameters},
                     {of_texts ? "flops_per_text" : "flops_per_image", embedder.flops_per_row}};
    if (!embedder.pooling.empty()) json["model"]["pooling"] = embedder.pooling;
    if (!embedder.details.empty()) json["model"]["details"] = embedder.details;
  } else {
    json["model"] = nullptr;
  }
  if (fast_decode) json["fast_decode"] = exec::kFastDecode;
  json["output"] = output;
  json["parts"] = parts;
  if (totals)
    json["total"] = {{"parts", totals->parts}, {"rows", totals->rows}, {"failed", totals->failed}};
  json["notices"] = notices;
  // Paths are bytes; JSON is UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace vecframe::job
