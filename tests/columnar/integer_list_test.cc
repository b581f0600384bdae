#include "columnar/integer_list.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace vecframe::columnar {
namespace {

// A list type by its own format and its items'.
DataType list_type(const char* format, const char* item) {
  ArrowSchema child{};
  child.format = item;
  child.name = "item";
  std::array<ArrowSchema*, 1> children{&child};
  ArrowSchema schema{};
  schema.format = format;
  schema.n_children = 1;
  schema.children = children.data();
  return import_type(schema);
}

// Lists over `values`, whose second value is null if `nulls` says so. Owns nothing.
struct Lists {
  template <class Offset, class Item>
  Lists(const Offset* offsets, const Item* values, std::int64_t length, bool nulls = false) {
    item_buffers = {nulls ? &validity : nullptr, values};
    items.n_buffers = 2;
    items.buffers = item_buffers.data();
    items.length = 5;
    buffers = {nullptr, offsets};
    array.n_buffers = offsets == nullptr ? 1 : 2;
    array.buffers = buffers.data();
    array.length = length;
    array.n_children = 1;
    array.children = children.data();
  }
  const std::uint8_t validity = 0b11101;
  std::array<const void*, 2> item_buffers{}, buffers{};
  ArrowArray items{}, array{};
  std::array<ArrowArray*, 1> children{&items};
};

using Numbers = std::vector<std::int64_t>;

TEST(IntegerList, KnowsItsTypes) {
  EXPECT_TRUE(is_integer_list(list_type("+l", "l")));
  EXPECT_TRUE(is_integer_list(list_type("+L", "C")));
  EXPECT_TRUE(is_integer_list(list_type("+w:4", "i")));
  EXPECT_FALSE(is_integer_list(list_type("+l", "g")));
  EXPECT_FALSE(is_integer_list(list_type("+l", "b")));
  EXPECT_FALSE(is_integer_list({TypeKind::kInt64}));
  EXPECT_EQ(list_type("+L", "s").to_string(), "List[Int16]");
}

TEST(IntegerList, ReadsEveryLayout) {
  const std::int32_t offsets[] = {0, 2, 5};
  const std::int64_t large[] = {1, 1, 4};
  const std::int16_t small[] = {-1, 2, 3, 4, 5};
  const std::uint32_t whole[] = {1, 2, 3, 4000000000u, 5};
  Lists a(offsets, small, 2);
  EXPECT_EQ(integers_at(a.array, 0, list_type("+l", "s")), Numbers({-1, 2}));
  a.array.offset = 1;
  EXPECT_EQ(integers_at(a.array, 0, list_type("+l", "s")), Numbers({3, 4, 5}));
  const Lists b(large, whole, 2);
  EXPECT_EQ(integers_at(b.array, 0, list_type("+L", "I")), Numbers());
  EXPECT_EQ(integers_at(b.array, 1, list_type("+L", "I")), Numbers({2, 3, 4000000000}));
  const Lists c(static_cast<const std::int32_t*>(nullptr), small, 2);
  EXPECT_EQ(integers_at(c.array, 1, list_type("+w:2", "s")), Numbers({3, 4}));
}

TEST(IntegerList, IsNothingWhereAnItemIsNullOrTooLarge) {
  const std::int32_t offsets[] = {0, 1, 3};
  const std::uint64_t values[] = {1, 2, std::numeric_limits<std::uint64_t>::max(), 4, 5};
  const Lists nulls(offsets, values, 2, /*nulls=*/true), large(offsets, values, 2);
  EXPECT_EQ(integers_at(nulls.array, 0, list_type("+l", "L")), Numbers({1}));
  EXPECT_EQ(integers_at(nulls.array, 1, list_type("+l", "L")), std::nullopt);
  EXPECT_EQ(integers_at(large.array, 1, list_type("+l", "L")), std::nullopt);
}

}  // namespace
}  // namespace vecframe::columnar
