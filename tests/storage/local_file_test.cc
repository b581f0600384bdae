#include "storage/local_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "temporary_directory.h"
#include "without_privileges.h"

namespace vecframe::storage {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max() / 4;

std::string text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::ptrdiff_t num_entries(const std::string& directory) {
  return std::distance(std::filesystem::directory_iterator(directory), {});
}

TEST(ReadFile, GivesTheBytes) {
  const TemporaryDirectory directory;
  std::string large(1 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>(i * 2654435761u >> 13);
  for (const std::string& expected : {std::string(), std::string("abc"), large}) {
    const std::string path = directory.add("f", expected);
    const auto size = static_cast<std::int64_t>(expected.size());
    ASSERT_TRUE(file_size(path).ok());
    EXPECT_EQ(file_size(path).value(), size);
    auto bytes = read_file(path, size);
    ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
    EXPECT_TRUE(text(*bytes) == expected);
  }
}

TEST(ReadFile, AFileThatGrewPastTheLimitIsOverBudget) {
  const TemporaryDirectory directory;
  const std::string path = directory.add("f", "abcd");
  auto bytes = read_file(path, 3);
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().code, ErrorCode::kOverBudget);
  EXPECT_TRUE(read_file(path, 4).ok());
  EXPECT_FALSE(read_file(path, 0).ok());
}

TEST(ReadFile, AnImpossibleSizeIsARowErrorNotAnAllocation) {
  const TemporaryDirectory directory;
  const std::string path = directory.add("sparse", "");
  if (::truncate(path.c_str(), std::int64_t{1} << 42) != 0) {
    GTEST_SKIP() << "the file system makes no sparse file of 4 TiB";
  }
  auto bytes = read_file(path, 1 << 20);
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().code, ErrorCode::kOverBudget);
}

TEST(ReadFile, AFileThatDoesNotTellItsSizeIsReadWhole) {
  auto bytes = read_file("/proc/self/status", 1 << 20);
  if (!std::filesystem::exists("/proc/self/status")) GTEST_SKIP() << "no /proc";
  ASSERT_TRUE(bytes.ok());
  EXPECT_THAT(text(*bytes), testing::HasSubstr("VmHWM"));
}

TEST(ReadFile, FailuresHaveACode) {
  const TemporaryDirectory directory;
  directory.add("file");
  const auto code = [](const std::string& path) {
    auto bytes = read_file(path, kNoLimit);
    EXPECT_FALSE(bytes.ok()) << path;
    if (bytes.ok()) return ErrorCode::kEmpty;
    EXPECT_EQ(bytes.error().stage, Stage::kRead);
    EXPECT_FALSE(bytes.error().message.empty());
    auto size = file_size(path);
    EXPECT_FALSE(size.ok());
    if (!size.ok()) {
      EXPECT_EQ(size.error().code, bytes.error().code);
    }
    return bytes.error().code;
  };
  EXPECT_EQ(code(directory / "absent"), ErrorCode::kNotFound);
  EXPECT_EQ(code(directory / "file/below"), ErrorCode::kNotFound);
  EXPECT_EQ(code(directory.path()), ErrorCode::kIoError);
  EXPECT_EQ(code(directory / std::string(300, 'n')), ErrorCode::kIoError);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(code(directory / "pipe"), ErrorCode::kIoError) << "and it does not wait for a writer";
}

TEST(ReadFile, AFileThatMayNotBeReadIsPermissionDenied) {
  const TemporaryDirectory directory;
  const std::string path = directory.add("secret");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const WithoutPrivileges nobody;
  auto bytes = read_file(path, kNoLimit);
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().code, ErrorCode::kPermissionDenied);
}

TEST(PendingFile, AppearsOnlyWhenCommitted) {
  const TemporaryDirectory directory;
  const std::string path = directory.add("out.parquet", "old");
  {
    PendingFile pending(path);
    EXPECT_EQ(std::filesystem::path(pending.temporary_path()).parent_path(), directory.path());
    EXPECT_THAT(std::filesystem::path(pending.temporary_path()).filename().string(),
                testing::MatchesRegex("\\.out\\.parquet\\.[0-9]+-[0-9]+\\.tmp"));
    std::ofstream(pending.temporary_path()) << "new";
    EXPECT_EQ(content(path), "old");
    pending.commit();
    EXPECT_EQ(content(path), "new");
  }
  EXPECT_EQ(content(path), "new");
  EXPECT_EQ(num_entries(directory.path()), 1);
}

TEST(PendingFile, LeavesNothingBehindOtherwise) {
  const TemporaryDirectory directory;
  {
    const PendingFile first(directory / "out"), second(directory / "out");
    EXPECT_NE(first.temporary_path(), second.temporary_path());
    EXPECT_EQ(num_entries(directory.path()), 2);
  }
  EXPECT_EQ(num_entries(directory.path()), 0);
}

TEST(PendingFile, FailuresAreRunErrors) {
  const TemporaryDirectory directory;
  EXPECT_THROW(PendingFile(directory / "absent/out"), RunError);
  ASSERT_EQ(::chmod(directory.path().c_str(), 0555), 0);
  {
    const WithoutPrivileges nobody;
    EXPECT_THROW(PendingFile(directory / "out"), RunError);
  }
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  std::filesystem::create_directory(directory / "taken");
  {
    PendingFile pending(directory / "taken");
    EXPECT_THROW(pending.commit(), RunError);
  }
  EXPECT_EQ(num_entries(directory.path()), 1);
}

TEST(PendingFile, TakesTheLongestNameThereIs) {
  const TemporaryDirectory directory;
  const std::string path = directory / std::string(255, 'n');
  write_file(path, "content");
  EXPECT_EQ(content(path), "content");
}

TEST(WriteFile, ReplacesTheWholeContent) {
  const TemporaryDirectory directory;
  write_file(directory / "f", std::string(100000, 'x'));
  write_file(directory / "f", std::string("short\0text", 10));
  EXPECT_EQ(content(directory / "f"), std::string("short\0text", 10));
  EXPECT_EQ(num_entries(directory.path()), 1);
  EXPECT_THROW(write_file(directory / "absent/f", "x"), RunError);
}

}  // namespace
}  // namespace vecframe::storage
