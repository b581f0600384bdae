#include "io/arrow_morsel.h"

#include <arrow/array/util.h>
#include <arrow/c/bridge.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <vector>

namespace vecframe::io {
namespace {

// What the nodes point to is owned elsewhere, so a pointer may be dropped.
void drop_metadata(ArrowSchema& schema) {
  schema.metadata = nullptr;
  for (std::int64_t i = 0; i < schema.n_children; ++i) drop_metadata(*schema.children[i]);
  if (schema.dictionary != nullptr) drop_metadata(*schema.dictionary);
}

}  // namespace

std::shared_ptr<arrow::DataType> storage_type(const columnar::DataType& type) {
  ArrowSchema exported;
  columnar::export_field({"", type, true}, &exported);
  drop_metadata(exported);
  return check(arrow::ImportType(&exported), "reading a column's type");
}

columnar::DataType type_of(const arrow::DataType& type) {
  struct Holder {
    ArrowSchema schema{};
    ~Holder() {
      if (schema.release != nullptr) schema.release(&schema);
    }
  } holder;
  check(arrow::ExportType(type, &holder.schema), "describing a type");
  return columnar::import_type(holder.schema);
}

std::shared_ptr<arrow::Array> import_array(const columnar::ArrayPointer& array,
                                           const std::shared_ptr<arrow::DataType>& type) {
  if (array->length == 0)  // whose offset may lie beyond buffers that are not there
    return check(arrow::MakeEmptyArray(type, arrow::system_memory_pool()), "reading a column");
  ArrowArray exported;
  columnar::export_morsel({{array}, array->length}, &exported);
  const auto batch = arrow::ImportRecordBatch(&exported, arrow::schema({arrow::field("", type)}));
  return check(batch, "reading a column")->column(0);
}

columnar::ArrayPointer export_array(const arrow::Array& array) {
  ArrowArray exported{};
  check(arrow::ExportArray(array, &exported), "handing on a column");
  return columnar::share(exported);
}

}  // namespace vecframe::io
