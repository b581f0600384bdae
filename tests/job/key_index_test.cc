#include "job/key_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "picture_files.h"

namespace vecframe::job {
namespace {

using exec::TemporaryDirectory;

TEST(DiskSortTest, SortsWhatDoesNotFitInItsBuffer) {
  TemporaryDirectory directory;
  std::mt19937_64 random(1);
  for (const int count : {0, 1, 63, 64, 65, 1000, 20000}) {
    DiskSort<std::uint64_t> records(directory.path(), 64 * sizeof(std::uint64_t));
    std::vector<std::uint64_t> expected;
    for (int i = 0; i < count; ++i) {
      expected.push_back(random() % 5000);
      records.add(expected.back());
    }
    std::sort(expected.begin(), expected.end());
    records.sort();
    EXPECT_EQ(records.size(), count);
    std::vector<std::uint64_t> sorted;
    DiskSort<std::uint64_t>::Cursor cursor(records);
    while (const std::uint64_t* record = cursor.next()) sorted.push_back(*record);
    EXPECT_EQ(sorted, expected) << count;
    EXPECT_EQ(cursor.peek(), nullptr);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

InputKey key_of_row(int row) {
  return key_of("photos/" + std::to_string(row) + ".jpg", {1000 + row, 17});
}

TEST(KeyIndexTest, FindsEachRowAndNoOther) {
  TemporaryDirectory directory;
  KeyIndex index(directory.path(), 4096);
  for (int row = 0; row < 10000; ++row)
    index.add(key_of_row(row).with_failed(row % 7 == 0),
              {static_cast<std::uint32_t>(row / 100), static_cast<std::uint32_t>(row % 100)});
  index.finish();
  EXPECT_EQ(index.size(), 10000);
  for (int row = 0; row < 10000; ++row) {
    const auto found = index.find(key_of_row(row));
    ASSERT_TRUE(found) << row;
    EXPECT_EQ(found->place.part * 100 + found->place.row, static_cast<std::uint32_t>(row));
    EXPECT_TRUE(found->key.same_version(key_of_row(row)));
    EXPECT_EQ(found->key.failed(), row % 7 == 0);
  }
  for (int row = 10000; row < 20000; ++row) EXPECT_FALSE(index.find(key_of_row(row))) << row;
}

TEST(KeyIndexTest, OfSeveralRowsOfAPathItPrefersTheVersion) {
  TemporaryDirectory directory;
  KeyIndex index(directory.path());
  for (int version = 0; version < 2000; ++version)
    index.add(key_of("a", {version, 0}), {0, static_cast<std::uint32_t>(version)});
  index.finish();
  EXPECT_EQ(index.find(key_of("a", {1234, 0}))->place.row, 1234u);
  EXPECT_TRUE(index.find(key_of("a", {5000, 0})));
  EXPECT_FALSE(index.find(key_of("b", {0, 0})));
}

TEST(KeyIndexTest, OfNothingFindsNothing) {
  TemporaryDirectory directory;
  KeyIndex index(directory.path());
  index.finish();
  EXPECT_FALSE(index.find(key_of("a", {})));
}

TEST(InputKeyTest, TellsFilesAndVersionsApart) {
  const InputKey key = key_of("a.jpg", {10, 20});
  EXPECT_TRUE(key.same_path(key_of("a.jpg", {11, 20})));
  EXPECT_FALSE(key.same_version(key_of("a.jpg", {11, 20})));
  EXPECT_FALSE(key.same_version(key_of("a.jpg", {10, 21})));
  EXPECT_FALSE(key.same_path(key_of("b.jpg", {10, 20})));
  EXPECT_TRUE(key.with_failed(true).same_version(key));
  EXPECT_TRUE(key.with_failed(true).failed());
  EXPECT_EQ(key_from_hex(to_hex(key)), key);
}

TEST(InputKeyTest, OfContentDoesNotDependOnTime) {
  TemporaryDirectory directory;
  exec::write_bytes(directory.file("a"), "one");
  const InputKey before = key_of_content(directory.file("a"));
  std::filesystem::last_write_time(directory.file("a"), std::filesystem::file_time_type{});
  EXPECT_TRUE(key_of_content(directory.file("a")).same_version(before));
  exec::write_bytes(directory.file("a"), "two");
  EXPECT_FALSE(key_of_content(directory.file("a")).same_version(before));
}

}  // namespace
}  // namespace vecframe::job
