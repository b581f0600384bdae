#include "session/model_location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "providers/http/hub_settings.h"

namespace vecframe::session {
namespace {

namespace fs = std::filesystem;
using providers::hub_cache_directory;
using testing::HasSubstr;

class ModelLocationTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / ("model_location_" + std::to_string(getpid()));
    fs::create_directories(root_);
    setenv("HF_HUB_CACHE", (root_ / "hub").c_str(), 1);
    setenv("HF_HUB_OFFLINE", "1", 1);  // these tests are of the cache alone
  }
  void TearDown() override {
    unsetenv("HF_HUB_CACHE");
    unsetenv("HF_HOME");
    unsetenv("HF_ENDPOINT");
    unsetenv("HF_HUB_OFFLINE");
    unsetenv("VECFRAME_CACHE");
    fs::remove_all(root_);
  }
  void write(const fs::path& path, const std::string& content) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
  }
  std::string refusal(const std::string& model, bool is_default = false) {
    try {
      locate_model(model, is_default);
    } catch (const RequestError& error) {
      return error.what();
    }
    return "accepted";
  }
  fs::path root_;
};

TEST_F(ModelLocationTest, ADirectoryWinsOverAnId) {
  write("models/tiny/config.json", "{}");
  const ModelLocation location = locate_model((root_ / "models/tiny").string(), false);
  EXPECT_EQ(location.kind, ModelLocation::Kind::kDirectory);
  EXPECT_EQ(location.directory, root_ / "models/tiny");
}

TEST_F(ModelLocationTest, AnIdIsLookedUpByItsMainRevision) {
  write("hub/models--me--tiny/refs/main", "c0ffee\n");
  write("hub/models--me--tiny/snapshots/c0ffee/config.json", "{}");
  write("hub/models--me--tiny/snapshots/beef/config.json", "{}");
  const ModelLocation location = locate_model("me/tiny", false);
  EXPECT_EQ(location.kind, ModelLocation::Kind::kCached);
  EXPECT_EQ(location.revision, "c0ffee");
  EXPECT_EQ(location.directory, root_ / "hub/models--me--tiny/snapshots/c0ffee");
  EXPECT_EQ(locate_model("me/tiny@beef", false).revision, "beef");
  EXPECT_THAT(refusal("me/tiny@other"), HasSubstr("not in the local cache"));
}

TEST_F(ModelLocationTest, ListsCachedModels) {
  write("hub/models--me--tiny/refs/main", "c0ffee");
  write("hub/models--me--tiny/snapshots/c0ffee/config.json", "{}");
  write("hub/models--half/refs/main", "dead");
  write("hub/datasets--me--data/refs/main", "c0ffee");
  EXPECT_THAT(cached_model_ids(), testing::ElementsAre("me/tiny"));
  setenv("HF_HUB_CACHE", "/nonexistent", 1);
  EXPECT_TRUE(cached_model_ids().empty());
}

TEST_F(ModelLocationTest, RefusalsNameTheFix) {
  EXPECT_THAT(refusal("owner/missing"), HasSubstr("builtin:efficientnet-lite0"));
  EXPECT_THAT(refusal("owner/missing", true), HasSubstr("(the default)"));
  EXPECT_THAT(refusal("./missing/dir"), HasSubstr("neither a directory nor a hub id"));
  EXPECT_THAT(refusal("../no/such/passwd"), HasSubstr("neither"));
  EXPECT_THAT(refusal("a/b/c"), HasSubstr("neither"));
  write("weights.safetensors", "x");
  EXPECT_THAT(refusal((root_ / "weights.safetensors").string()), HasSubstr("is a file"));
}

TEST_F(ModelLocationTest, AnUnreachableHubIsSaidWithTheWayOut) {
  unsetenv("HF_HUB_OFFLINE");
  setenv("HF_ENDPOINT", "http://127.0.0.1:1", 1);
  EXPECT_THAT(refusal("owner/missing"), HasSubstr("http://127.0.0.1:1 cannot be reached"));
  EXPECT_THAT(refusal("owner/missing"), HasSubstr("builtin:efficientnet-lite0"));
}

TEST_F(ModelLocationTest, ADescriptionMakesDoWithAPartOfTheCache) {
  write("hub/models--me--tiny/refs/main", "c0ffee");
  write("hub/models--me--tiny/snapshots/c0ffee/config.json", "{}");
  LocateOptions options;
  options.fetch = Fetch::kHeaders;
  EXPECT_EQ(locate_model("me/tiny", false, options).kind, ModelLocation::Kind::kCached);  // offline
  unsetenv("HF_HUB_OFFLINE");
  setenv("HF_ENDPOINT", "http://127.0.0.1:1", 1);
  EXPECT_EQ(locate_model("me/tiny", false, options).kind, ModelLocation::Kind::kCached);
  EXPECT_THROW(locate_model("me/other", false, options), RequestError);
}

TEST_F(ModelLocationTest, CachesFollowTheEnvironment) {
  setenv("VECFRAME_CACHE", "/somewhere", 1);
  EXPECT_EQ(cache_directory(), "/somewhere");
  unsetenv("HF_HUB_CACHE");
  setenv("HF_HOME", "/hf", 1);
  EXPECT_EQ(hub_cache_directory(), "/hf/hub");
  EXPECT_EQ(locate_model("builtin:anything", false).kind, ModelLocation::Kind::kBuiltin);
}

}  // namespace
}  // namespace vecframe::session
