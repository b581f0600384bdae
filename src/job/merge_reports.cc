#include "job/merge_reports.h"

#include <fmt/format.h>
#include <vecframe/error.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "job/manifest.h"
#include "job/output_path.h"
#include "job/part_metadata.h"
#include "storage/local_file.h"

namespace vecframe::job {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSharePrefix = "_report-";

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Fields whose value for all is the largest of the parts' or the first; others are added.
bool takes_largest(const std::string& name) {
  return name == "seconds" || name == "load_seconds" || name == "process_peak" ||
         name == "budget_peak" || name == "limit" || name == "weights" || name == "batch_size";
}

void add(Json& sum, const Json& report);

void add_cause(Json& causes, const Json& cause) {
  for (Json& known : causes) {
    if (known["stage"] != cause["stage"] || known["code"] != cause["code"]) continue;
    known["count"] = known.value("count", std::int64_t{0}) + cause.value("count", std::int64_t{0});
    return;
  }
  causes.push_back(cause);
}

// What many say is said once.
void add_item(Json& sum, const std::string& name, const Json& item) {
  if (name == "causes") {
    add_cause(sum, item);
  } else if (name != "notices" || std::find(sum.begin(), sum.end(), item) == sum.end()) {
    sum.push_back(item);
  }
}

void add_field(Json& sum, const std::string& name, const Json& value) {
  if (!sum.contains(name)) {
    sum[name] = value;
  } else if (value.is_number() && sum[name].is_number()) {
    const bool whole = value.is_number_integer() && sum[name].is_number_integer();
    if (takes_largest(name)) {
      if (sum[name] < value) sum[name] = value;
    } else if (whole) {
      sum[name] = sum[name].get<std::int64_t>() + value.get<std::int64_t>();
    } else {
      sum[name] = sum[name].get<double>() + value.get<double>();
    }
  } else if (value.is_object() && sum[name].is_object()) {
    if (name != "model" && name != "total") add(sum[name], value);
  } else if (value.is_array() && sum[name].is_array()) {
    for (const Json& each : value) add_item(sum[name], name, each);
  } else if (sum[name].is_null()) {
    sum[name] = value;
  }
}

void add(Json& sum, const Json& report) {
  for (const auto& [name, value] : report.items()) add_field(sum, name, value);
}

// Ratios are made again from their sums.
void finish_ratios(Json& sum) {
  const double seconds = sum.value("seconds", 0.0);
  for (const char* name : {"images_per_second", "texts_per_second"})
    if (sum.contains(name)) sum[name] = seconds > 0 ? sum.value("rows", 0.0) / seconds : 0.0;
  if (sum.contains("rates") && sum.contains("stages") && sum.contains("counts")) {
    for (const auto& [stage, rate] : sum["rates"].items()) {
      const double busy = sum["stages"].value(stage, 0.0);
      sum["rates"][stage] = busy > 0 ? sum["counts"].value(stage, 0.0) / busy : 0.0;
    }
  }
}

}  // namespace

std::string share_report_name(ShardShare share) {
  return fmt::format("{}{:05}-of-{:05}.json", kSharePrefix, share.index + 1, share.count);
}

struct ReportSum::State {
  Json sum = Json::object();
};

ReportSum::ReportSum() : state_(std::make_unique<State>()) {}
ReportSum::~ReportSum() = default;

void ReportSum::add(const std::string& text) {
  const Json report = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object()) return;
  job::add(state_->sum, report);
  ++size_;
}

std::string ReportSum::to_json(const std::string& facts, const std::string& base) const {
  const Json known = Json::parse(facts, nullptr, /*allow_exceptions=*/false);
  if (!known.is_object()) throw RequestError("facts: no JSON object; give one");
  Json sum = Json::parse(base);
  const Json total = sum.value("total", Json());
  job::add(sum, state_->sum);
  sum.erase("total");
  if (total.is_object()) sum["total"] = total;
  sum.update(known);
  finish_ratios(sum);
  sum["runs"] = size_;
  return sum.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string merge_reports(const std::vector<std::string>& reports) {
  ReportSum sum;
  for (const std::string& report : reports) sum.add(report);
  return sum.to_json();
}

bool is_complete(const DirectoryFiles& directory) {
  const Json manifest = Json::parse(content_of(directory.file(kManifestName)), nullptr,
                                    /*allow_exceptions=*/false);
  return manifest.is_object() && manifest.value("complete", false);
}

MergedOutput merge_shares(const DirectoryFiles& directory, storage::TableModule& tables) {
  const DirectoryLock lock = DirectoryLock::wait_for(directory.path(), "_lock-merge");
  MergedOutput merged;
  std::vector<std::string> reports;
  for (const std::string& name : directory.names()) {
    if (!name.starts_with(kSharePrefix)) continue;
    reports.push_back(content_of(directory.file(name)));
    const std::size_t of = name.find("-of-");
    std::int64_t count = 0;
    if (of != std::string::npos)
      std::from_chars(name.data() + of + 4, name.data() + name.size(), count);
    merged.shares = std::max(merged.shares, count);
  }
  merged.missing_shares =
      std::max<std::int64_t>(0, merged.shares - static_cast<std::int64_t>(reports.size()));
  merged.complete = merged.missing_shares == 0;

  Manifest manifest;
  manifest.complete = merged.complete;
  for (const std::string& name : directory.part_names()) {
    const std::optional<PartFacts> facts = read_part_facts(directory.file(name), tables);
    if (!facts)
      throw RequestError("'" + directory.file(name) + "' is no part that a job has written");
    if (manifest.parts.empty()) {
      const auto reader = tables.open_parquet(directory.file(name));
      manifest.schema = reader->schema();
      std::erase_if(manifest.schema.metadata, [](const auto& entry) {
        for (const char* of_part : {"rows", "failed", "shard", "recipe", "keys", "texts", "inputs"})
          if (entry.first == std::string("vecframe.") + of_part) return true;
        return !entry.first.starts_with("vecframe.");
      });
    }
    manifest.parts[shard_of(name)] = {facts->num_rows, facts->num_failed};
  }
  const PartCounts total = manifest.total();
  merged.parts = static_cast<std::int64_t>(manifest.parts.size());
  merged.rows = total.rows;
  merged.failed = total.failed;
  storage::write_file(directory.file(kManifestName), manifest.to_json() + "\n");
  if (!reports.empty())
    storage::write_file(directory.file(kReportName), merge_reports(reports) + "\n");
  return merged;
}

}  // namespace vecframe::job
