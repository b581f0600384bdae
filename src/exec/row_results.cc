#include "exec/row_results.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/fingerprint.h"
#include "exec/embed_batch.h"

namespace vecframe::exec {

bool RowResults::is_known(std::int64_t ticket, std::span<const std::byte> encoded,
                          std::vector<float>& vector) {
  if (!options_.deduplicate && options_.cache == nullptr) return false;
  const Hash128 content = hash_of(encoded);
  vector.resize(static_cast<std::size_t>(options_.dimension));
  switch (duplicates_.enter(content, ticket, vector)) {
    case Duplicates::Outcome::kFollows:
      ++counters_.duplicates;
      return true;
    case Duplicates::Outcome::kKnown:
      ++counters_.duplicates;
      finish(ticket, vector, /*fresh=*/false);
      return true;
    case Duplicates::Outcome::kFirst:
      break;
  }
  window_.facts(ticket).content = content;
  if (options_.cache == nullptr || !options_.cache->find(content, vector)) return false;
  ++counters_.cache_hits;
  finish(ticket, vector, /*fresh=*/false);
  return true;
}

void RowResults::finish_failed(std::int64_t ticket, RowError error) {
  RowFacts& facts = window_.facts(ticket);
  if (facts.content) {
    for (const std::int64_t copy : duplicates_.fail(*facts.content)) {
      window_.facts(copy).error = error;
      window_.finish(copy);
    }
  }
  facts.error = std::move(error);
  window_.finish(ticket);
}

void RowResults::finish_embedded(std::int64_t ticket, std::span<const float> vector) {
  finish(ticket, vector, /*fresh=*/true);
}

void RowResults::finish(std::int64_t ticket, std::span<const float> vector, bool fresh) {
  RowFacts& facts = window_.facts(ticket);
  std::optional<RowError> error = keep_vector(vector, options_.form, window_.vector(ticket));
  if (error) return finish_failed(ticket, std::move(*error));
  if (fresh && options_.cache != nullptr) options_.cache->store(*facts.content, vector);
  if (facts.content) {
    for (const std::int64_t copy : duplicates_.finish(*facts.content, vector)) {
      const std::span<const float> kept = window_.vector(ticket);
      std::copy(kept.begin(), kept.end(), window_.vector(copy).begin());
      window_.finish(copy);
    }
  }
  window_.finish(ticket);
}

}  // namespace vecframe::exec
