// Names in an output directory, and which of them are a run's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vecframe::job {

inline constexpr const char* kReportName = "_report.json";
inline constexpr const char* kManifestName = "_manifest.json";

/// "part-00000.parquet"
std::string part_name(std::int64_t shard);
/// A name that part_name() can give.
bool is_part_name(std::string_view name);
/// The shard of such a name.
std::int64_t shard_of(std::string_view part_name);
/// What a run that was killed leaves behind: locks and files under construction.
bool is_left_over(std::string_view name);

}  // namespace vecframe::job
