#include "compute/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

namespace vecframe::compute {
namespace {

// Records which entry was opened; there is nothing to compute with.
BackendEntry entry(std::string name, int score, std::string* opened) {
  return {name, score, [name, opened]() -> std::shared_ptr<Backend> {
            *opened = name;
            return nullptr;
          }};
}

TEST(Registry, AutoTakesTheHighestScore) {
  std::string opened;
  Registry registry;
  registry.add(entry("slow", 1, &opened));
  registry.add(entry("fast", 10, &opened));
  registry.add(entry("middle", 5, &opened));
  registry.open("auto");
  EXPECT_EQ(opened, "fast");
  registry.open("slow");
  EXPECT_EQ(opened, "slow");
}

TEST(Registry, RefusesWhatCannotRunHereAndListsTheRest) {
  std::string opened;
  Registry registry;
  registry.add(entry("cpu", 1, &opened));
  registry.add(entry("cuda", 0, &opened));
  try {
    registry.open("cuda");
    FAIL() << "opened " << opened;
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("'cuda'"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("auto, cpu"));
  }
}

TEST(Registry, ALaterEntryReplacesAnEarlierOne) {
  std::string opened;
  Registry registry;
  registry.add(entry("cpu", 5, &opened));
  registry.add(entry("cpu", 0, &opened));
  EXPECT_EQ(registry.entries().size(), 1u);
  EXPECT_THROW(registry.open("auto"), RequestError);
}

}  // namespace
}  // namespace vecframe::compute
