// A column of any type that expressions of rows give, under construction.
#pragma once

#include <memory>

#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "exec/row_value.h"

namespace vecframe::exec {

class ValueColumn {
 public:
  virtual ~ValueColumn() = default;
  /// Of the column's type, or null.
  virtual void append(const RowValue& value) = 0;
  virtual columnar::ArrayPointer finish() = 0;
};

std::unique_ptr<ValueColumn> make_value_column(const columnar::DataType& type);

}  // namespace vecframe::exec
