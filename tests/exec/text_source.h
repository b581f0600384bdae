// A table of one column, for tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "columnar/batch.h"
#include "columnar/morsel.h"
#include "exec/sources.h"

namespace vecframe::exec {

/// Texts, or paths; empty: null.
inline std::unique_ptr<Operator> source_of(const std::vector<std::string>& texts,
                                           std::size_t morsel_rows = 7) {
  auto morsels = std::make_shared<std::vector<columnar::Morsel>>();
  for (std::size_t first = 0; first < texts.size(); first += morsel_rows) {
    columnar::ColumnBuilder column({columnar::TypeKind::kString});
    const std::size_t end = std::min(texts.size(), first + morsel_rows);
    for (std::size_t i = first; i < end; ++i)
      texts[i].empty() ? column.append_null() : column.append(std::string_view(texts[i]));
    ArrowArray array;
    column.finish(&array);
    morsels->push_back({{columnar::share(array)}, static_cast<std::int64_t>(end - first)});
  }
  return open_memory(std::move(morsels), {0});
}

}  // namespace vecframe::exec
