// Arrow types that this project only hands on.
#pragma once

#include <vecframe/arrow_c.h>

#include <memory>
#include <string>

namespace vecframe::columnar {

/// A copy of an Arrow schema node with all below it, without its name: shared, immutable.
class ForeignType {
 public:
  explicit ForeignType(const ArrowSchema& schema);

  /// As a user reads it: "Float64", "Timestamp", "List[Int64]", "Tensor[UInt8; [6, 8, 3]]".
  std::string to_string() const;
  /// Fills `out` with a schema of this type; the receiver releases it.
  void export_schema(const std::string& name, bool nullable, ArrowSchema* out) const;
  const std::string& format() const;
  /// Format of the only child, such as a list's items; empty where there is another number.
  std::string item_format() const;
  /// Of an extension type, else empty.
  std::string extension_name() const;

  friend bool operator==(const ForeignType& a, const ForeignType& b);

 private:
  struct Node;
  std::shared_ptr<const Node> node_;
};

}  // namespace vecframe::columnar
