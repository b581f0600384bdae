// A logical plan flattened into what the executor runs: one source, one chain, the columns that
// leave it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "plan/logical_plan.h"

namespace vecframe::plan {

/// Where the values of an output column come from.
enum class ColumnSource : std::uint8_t {
  kPath,
  kText,
  kImage,
  kWidth,
  kHeight,
  kFormat,
  kEmbedding,
  kError
};

struct BoundColumn {
  std::string name;
  ColumnSource source;
};

struct PhysicalPlan {
  std::variant<ReadImages, ReadTexts> read;
  std::optional<std::int64_t> limit;
  std::optional<EmbedCall> embed;
  /// In the order of the schema. Columns of pictures are left out: they exist only for embed_image
  /// to read.
  std::vector<BoundColumn> columns;
};

/// Whether lower() can: pictures or texts of files, at most one embedding of them by a model that
/// this library runs, and a choice of columns. Other plans run as steps (steps.h).
bool is_file_job(const LogicalPlan& plan);

/// Throws RequestError for what the executor cannot run: two calls of embed_image or embed_text in
/// one plan, or embed_text over a column of pictures' paths or formats.
PhysicalPlan lower(const LogicalPlan& plan);

}  // namespace vecframe::plan
