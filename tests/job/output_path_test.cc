#include "job/output_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <filesystem>
#include <functional>

#include "job/embed_job.h"
#include "picture_files.h"

namespace vecframe::job {
namespace {

using exec::TemporaryDirectory;
using testing::HasSubstr;

std::string refusal(const std::string& output, WriteMode mode) {
  try {
    check_output(output, mode);
  } catch (const RequestError& error) {
    return error.what();
  }
  return "";
}

TEST(OutputKindTest, FollowsTheName) {
  TemporaryDirectory directory;
  EXPECT_EQ(output_kind("a.parquet"), OutputKind::kFile);
  EXPECT_EQ(output_kind("a.parquet/"), OutputKind::kDirectory);
  EXPECT_EQ(output_kind("a"), OutputKind::kDirectory);
  EXPECT_EQ(output_kind("a.PARQUET"), OutputKind::kDirectory);
  std::filesystem::create_directory(directory.file("d.parquet"));
  EXPECT_EQ(output_kind(directory.file("d.parquet")), OutputKind::kDirectory);
}

TEST(PartNameTest, IsPaddedAndKnown) {
  EXPECT_EQ(part_name(0), "part-00000.parquet");
  EXPECT_EQ(part_name(1234567), "part-1234567.parquet");
  EXPECT_TRUE(is_part_name("part-00012.parquet"));
  EXPECT_TRUE(is_part_name("part-1234567.parquet"));
  for (const char* other : {"part-.parquet", "part-1.parquet", "part-0000x.parquet", "part-00000",
                            "part-.parque", "xpart-00000.parquet", "part-00000.parquet.tmp"}) {
    EXPECT_FALSE(is_part_name(other)) << other;
  }
}

TEST(CheckOutputTest, NewOutputsNeedTheirParent) {
  TemporaryDirectory directory;
  for (const char* name : {"a.parquet", "a", "a/"}) {
    EXPECT_EQ(refusal(directory.file(name), WriteMode::kError), "") << name;
    const std::string lost = directory.file("no/") + name;
    EXPECT_THAT(refusal(lost, WriteMode::kOverwrite), HasSubstr("does not exist")) << name;
  }
  EXPECT_EQ(refusal("here.parquet", WriteMode::kError), "");
  EXPECT_THAT(refusal("", WriteMode::kError), HasSubstr("empty"));
}

TEST(CheckOutputTest, ExistingOutputsNeedLeave) {
  TemporaryDirectory directory;
  exec::write_bytes(directory.file("a.parquet"), "x");
  EXPECT_THAT(refusal(directory.file("a.parquet"), WriteMode::kError), HasSubstr("--overwrite"));
  EXPECT_EQ(refusal(directory.file("a.parquet"), WriteMode::kOverwrite), "");

  EXPECT_THAT(refusal(directory.path(), WriteMode::kError), HasSubstr("--overwrite"));
  EXPECT_EQ(refusal(directory.path(), WriteMode::kOverwrite), "");

  exec::write_bytes(directory.file("plain"), "x");
  for (const WriteMode mode : {WriteMode::kError, WriteMode::kOverwrite}) {
    EXPECT_THAT(refusal(directory.file("plain"), mode), HasSubstr("is a file"));
  }
}

TEST(CheckOutputTest, WhatAKilledRunLeftIsNoOutput) {
  TemporaryDirectory directory;
  exec::write_bytes(directory.file("_lock"), "");
  exec::write_bytes(directory.file(".part-00000.parquet.12-3.tmp"), "");
  exec::write_bytes(directory.file("._report.json.12-3.tmp"), "");
  EXPECT_EQ(refusal(directory.path(), WriteMode::kError), "");
  exec::write_bytes(directory.file(".hidden"), "");
  EXPECT_THAT(refusal(directory.path(), WriteMode::kError), HasSubstr("not empty"));
}

}  // namespace
}  // namespace vecframe::job
