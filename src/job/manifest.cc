#include "job/manifest.h"

#include <nlohmann/json.hpp>

#include "job/output_path.h"

namespace vecframe::job {

PartCounts Manifest::total() const {
  PartCounts sum;
  for (const auto& [shard, counts] : parts) {
    sum.rows += counts.rows;
    sum.failed += counts.failed;
  }
  return sum;
}

std::string Manifest::to_json() const {
  nlohmann::ordered_json json;
  json["format"] = 2;
  json["complete"] = complete;
  for (const auto& [key, value] : schema.metadata) json["metadata"][key] = value;
  json["columns"] = nlohmann::ordered_json::array();
  for (const columnar::Field& field : schema.fields)
    json["columns"].push_back({{"name", field.name}, {"type", field.type.to_string()}});
  const PartCounts sum = total();
  json["rows"] = sum.rows;
  json["failed"] = sum.failed;
  json["parts"] = nlohmann::ordered_json::array();
  for (const auto& [shard, counts] : parts)
    json["parts"].push_back(
        {{"file", part_name(shard)}, {"rows", counts.rows}, {"failed", counts.failed}});
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace vecframe::job
