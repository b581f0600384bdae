#include "exec/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <functional>
#include <string>

namespace vecframe::exec {
namespace {

using testing::HasSubstr;

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const RequestError& error) {
    return error.what();
  }
  return "none";
}

TEST(StagesTest, AWrongNameOrNumberIsAWrongRequest) {
  Stages stages;
  EXPECT_THAT(refusal([&] { stages.set("decod", 4); }), HasSubstr("did you mean 'decode'?"));
  EXPECT_THAT(refusal([&] { stages.set("write", 4); }),
              HasSubstr("'write' is not known; the stages are download, decode and embed"));
  EXPECT_THAT(refusal([&] { stages.set("embed", 0); }),
              HasSubstr("embed=0 is out of range; give 1 to 1024"));
  EXPECT_THAT(refusal([&] { stages.set("embed", std::int64_t{1} << 40); }), HasSubstr("embed="));
  stages.set("download", 1024);
  EXPECT_EQ(stages.download, 1024);
  stages.decode = -1;
  EXPECT_THAT(refusal([&] { check_stages(stages); }), HasSubstr("decode=-1"));
}

TEST(StagesTest, ByDefaultEveryWorkerDoesBoth) {
  const Concurrency six = concurrency_of({}, 6);
  EXPECT_EQ(six.readers, 4);
  EXPECT_EQ(six.decoders, 6);
  EXPECT_EQ(six.lanes, 6);
  EXPECT_EQ(six.workers, 6);
  EXPECT_EQ(concurrency_of({}, 1).readers, 2);
  EXPECT_EQ(concurrency_of_map({}, 6).workers, 6);
}

TEST(StagesTest, WhoAsksForBothGetsThemSideBySide) {
  const Concurrency some = concurrency_of({.download = 16, .decode = 4, .embed = 1}, 2);
  EXPECT_EQ(some.readers, 16);
  EXPECT_EQ(some.decoders, 4);
  EXPECT_EQ(some.lanes, 1);
  EXPECT_EQ(some.workers, 5);
  // More threads would find nothing to do.
  EXPECT_EQ(concurrency_of({.download = {}, .decode = 4, .embed = 1}, 64).workers, 5);
  EXPECT_EQ(concurrency_of({.download = {}, .decode = {}, .embed = 1}, 8).workers, 8);
  EXPECT_EQ(concurrency_of({.download = {}, .decode = 6, .embed = {}}, 2).workers, 6);
  EXPECT_EQ(concurrency_of_map({.download = 16, .decode = 4, .embed = 1}, 2).workers, 21);
}

}  // namespace
}  // namespace vecframe::exec
