// A run's report for people to read.

#include <fmt/format.h>
#include <vecframe/error.h>
#include <vecframe/jobs.h>

#include <nlohmann/json.hpp>

namespace vecframe {
namespace {

using Json = nlohmann::ordered_json;

double number(const Json& json, const char* group, const std::string& name) {
  return json.contains(group) && json[group].is_object() ? json[group].value(name, 0.0) : 0.0;
}

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(seconds + 0.5);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string amount(double bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, units[unit]);
}

std::string head(const Json& json) {
  std::string text = fmt::format("output      {}\n", json.value("output", ""));
  if (json.contains("model") && json["model"].is_object())
    text += fmt::format("model       {} ({}, {})\n", json["model"].value("name", ""),
                        json["model"].value("provider", ""), json["model"].value("precision", ""));
  const char* rate = json.contains("texts_per_second") ? "texts_per_second" : "images_per_second";
  text += fmt::format("rows        {}, {} failed, in {} ({:.1f}/s)\n", json.value("rows", 0),
                      json.value("failed", 0), duration(json.value("seconds", 0.0)),
                      json.value(rate, 0.0));
  if (json.contains("total"))
    text +=
        fmt::format("in all      {} rows, {} failed, in {} parts\n", json["total"].value("rows", 0),
                    json["total"].value("failed", 0), json["total"].value("parts", 0));
  if (json.contains("cluster"))
    text += fmt::format("cluster     {} workers on {} nodes, {} lost, {} shards begun anew\n",
                        json["cluster"].value("workers", 0), json["cluster"].value("nodes", 0),
                        json["cluster"].value("lost_workers", 0),
                        json["cluster"].value("repeated_shards", 0));
  text += fmt::format("read        {}\n", amount(json.value("bytes_read", 0.0)));
  text += fmt::format("not anew    {} copies within the run, {} from the cache\n",
                      json.value("duplicates", 0), json.value("cache_hits", 0));
  text += fmt::format("retries     {}\n", json.value("retries", 0));
  text += fmt::format("batches     {} of at most {} rows", json.value("batches", 0),
                      json.value("batch_size", 0));
  const int halved = json.value("memory_failures", 0);
  text += halved > 0 ? fmt::format(", halved {} times for want of memory\n", halved) : "\n";
  const double limit = number(json, "memory", "limit");
  if (limit > 0)
    text += fmt::format("memory      peak {}, of a limit of {} and {} of weights\n",
                        amount(number(json, "memory", "process_peak")), amount(limit),
                        amount(number(json, "memory", "weights")));
  return text;
}

std::string stages(const Json& json) {
  std::string text = fmt::format("\n{:<10} {:>10} {:>12} {:>12} {:>14}\n", "stage", "rows", "busy",
                                 "waiting", "rows/busy s");
  for (const char* stage : {"read", "prepare", "embed", "write"})
    text += fmt::format("{:<10} {:>10.0f} {:>12} {:>12} {:>14.1f}\n", stage,
                        number(json, "counts", stage), duration(number(json, "stages", stage)),
                        duration(number(json, "waiting", stage)), number(json, "rates", stage));
  return text;
}

std::string failures(const Json& json) {
  if (!json.contains("failures") || json["failures"].empty()) return "";
  std::string text = fmt::format("\n{:<30} {:>10}\n", "cause", "rows");
  for (const auto& [cause, count] : json["failures"].items())
    text += fmt::format("{:<30} {:>10}\n", cause, count.dump());
  return text;
}

}  // namespace

std::string report_text(const std::string& report) {
  const Json json = Json::parse(report, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    throw RequestError("report: not JSON of a run; give the output directory of one");
  try {
    std::string text = head(json) + stages(json) + failures(json);
    for (const Json& notice : json.value("notices", Json::array()))
      text += "\nnote: " + notice.get<std::string>() + "\n";
    return text;
  } catch (const Json::exception& error) {
    throw RequestError(std::string("report: not of a run (") + error.what() +
                       "); give the output directory of one");
  }
}

}  // namespace vecframe
