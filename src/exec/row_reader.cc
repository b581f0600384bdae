#include "exec/row_reader.h"

#include <utility>
#include <vector>

#include "exec/prepare_row.h"
#include "image/reduce.h"
#include "storage/local_file.h"

namespace vecframe::exec {

Result<EncodedRow> RowReader::read(std::int64_t row, RowFacts& facts) const {
  const Result<std::int64_t> size = storage::file_size(facts.path);
  if (!size) return size.error();
  if (*size <= share_.capacity()) {
    Result<EncodedRow> encoded = fetch(row, facts, *size, /*alone=*/false);
    if (!encoded || working_bytes_of(*encoded) <= options_.room_bytes - share_.capacity()) {
      return encoded;
    }
    // Its picture needs what the others' files may fill. It goes back and is read again when
    // those are gone.
  }
  return fetch(row, facts, *size, /*alone=*/true);
}

Result<EncodedRow> RowReader::fetch(std::int64_t row, RowFacts& facts, std::int64_t size,
                                    bool alone) const {
  if (size > options_.room_bytes) return over_budget(Stage::kRead, "the file", size);
  EncodedRow encoded;
  encoded.row = row;
  {
    const StageClock::Scope waiting(counters_.read_wait);
    encoded.hold = alone ? share_.take_alone(size) : share_.take(size);
    if (encoded.hold) encoded.credit = budget_.acquire(size, stopping_);
  }
  if (!encoded.credit) return RowError{Stage::kRead, ErrorCode::kIoError, "stopped"};

  const StageClock::Scope scope(counters_.read);
  Result<std::vector<std::byte>> bytes = storage::read_file(facts.path, size);
  if (!bytes) return std::move(bytes).error();
  encoded.bytes = std::move(bytes).value();
  counters_.bytes_read += static_cast<std::int64_t>(encoded.bytes.size());

  const Result<image::ImageInfo> info = image::probe(encoded.bytes, options_.decode);
  if (!info) return info.error();
  encoded.info = *info;
  const image::Size upright = image::whole_of(*info, options_.apply_orientation).size;
  facts.width = upright.width;
  facts.height = upright.height;
  facts.format = info->format;
  if (options_.fast_decode && options_.prepare)
    encoded.info = image::reduced(*info, image::shrink_of(*options_.prepare, upright));
  const std::int64_t needed = size + working_bytes_of(encoded);
  if (needed > options_.room_bytes) return over_budget(Stage::kDecode, "this picture", needed);
  return encoded;
}

std::int64_t RowReader::working_bytes_of(const EncodedRow& encoded) const {
  if (!options_.prepare) return 0;
  return working_bytes(encoded.info, *options_.prepare, options_.apply_orientation);
}

RowError RowReader::over_budget(Stage stage, const std::string& what, std::int64_t needed) const {
  return RowError{stage, ErrorCode::kOverBudget,
                  what + " needs " + std::to_string(needed) + " bytes, memory_limit leaves " +
                      std::to_string(options_.room_bytes)};
}

}  // namespace vecframe::exec
