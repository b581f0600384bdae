// Tables of any Arrow type, written as JSON, as morsels.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/c/bridge.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <dlfcn.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "storage/table_io.h"

namespace vecframe::io {

/// The module as the session opens it.
inline storage::TableModule& table_module() {
  static storage::TableModule* const opened = [] {
    void* handle = ::dlopen(VECFRAME_IO_MODULE, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(::dlerror());
    using Entry = storage::TableModule* (*)();
    return reinterpret_cast<Entry>(::dlsym(handle, storage::kTableModuleSymbol))();
  }();
  return *opened;
}

inline std::shared_ptr<arrow::Array> json(const std::shared_ptr<arrow::DataType>& type,
                                          const std::string& values) {
  return arrow::json::ArrayFromJSONString(type, values).ValueOrDie();
}

inline columnar::Schema to_schema(const arrow::Schema& schema) {
  ArrowSchema exported;
  if (!arrow::ExportSchema(schema, &exported).ok()) throw std::runtime_error("export");
  columnar::Schema imported = columnar::import_schema(exported);
  exported.release(&exported);
  return imported;
}

inline columnar::Morsel to_morsel(const std::vector<std::shared_ptr<arrow::Array>>& columns) {
  columnar::Morsel morsel;
  for (const auto& column : columns) {
    ArrowArray exported;
    if (!arrow::ExportArray(*column, &exported).ok()) throw std::runtime_error("export");
    morsel.columns.push_back(columnar::share(exported));
    morsel.num_rows = column->length();
  }
  return morsel;
}

/// Checked in full.
inline std::shared_ptr<arrow::Array> to_array(const columnar::ArrayPointer& column,
                                              const std::shared_ptr<arrow::DataType>& type) {
  ArrowArray exported;
  columnar::export_morsel({{column}, column->length}, &exported);
  const auto batch =
      arrow::ImportRecordBatch(&exported, arrow::schema({arrow::field("", type)})).ValueOrDie();
  if (const arrow::Status status = batch->ValidateFull(); !status.ok())
    throw std::runtime_error(status.ToString());
  return batch->column(0);
}

}  // namespace vecframe::io
