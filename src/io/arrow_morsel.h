// Morsels as arrays of the Arrow library, and back.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>
#include <vecframe/error.h>

#include <memory>
#include <string>
#include <utility>

#include "columnar/morsel.h"
#include "columnar/schema.h"

namespace vecframe::io {

/// The type the values are stored in: extension types, which the schema carries, are left away.
std::shared_ptr<arrow::DataType> storage_type(const columnar::DataType& type);
/// What a user of this project reads of the type.
columnar::DataType type_of(const arrow::DataType& type);

/// Shares the array.
std::shared_ptr<arrow::Array> import_array(const columnar::ArrayPointer& array,
                                           const std::shared_ptr<arrow::DataType>& type);
columnar::ArrayPointer export_array(const arrow::Array& array);

/// Throws RunError, which says what was being done.
inline void check(const arrow::Status& status, const std::string& action) {
  if (!status.ok()) throw RunError(action + " failed: " + status.message());
}

template <class T>
T check(arrow::Result<T> result, const std::string& action) {
  check(result.status(), action);
  return std::move(result).ValueUnsafe();
}

}  // namespace vecframe::io
