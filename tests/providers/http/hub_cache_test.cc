#include "providers/http/hub_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "hub_server.h"
#include "providers/http/hub_error.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

class HubCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    cache_ = fs::path(testing::TempDir()) / ("hub_cache_" + std::to_string(getpid()));
    fs::remove_all(cache_);
  }
  void TearDown() override { fs::remove_all(cache_); }
  void write(const fs::path& path, const std::string& content = "{}") {
    fs::create_directories((cache_ / path).parent_path());
    std::ofstream(cache_ / path) << content;
  }
  bool complete(bool with_tokenizer = false) {
    const HubCacheFolder folder(cache_, "me/tiny");
    const auto snapshot = folder.find("main");
    return snapshot && folder.is_complete(*snapshot, with_tokenizer);
  }
  fs::path cache_;
};

TEST_F(HubCacheTest, FindsRevisionsAndCommits) {
  write("models--me--tiny/refs/main", "c0ffee\n");
  write("models--me--tiny/refs/refs/pr/1", "beef");
  write("models--me--tiny/snapshots/c0ffee/config.json");
  write("models--me--tiny/snapshots/beef/open_clip_config.json");
  const HubCacheFolder folder(cache_, "me/tiny");
  EXPECT_EQ(folder.find("main")->commit, "c0ffee");
  EXPECT_EQ(folder.find("refs/pr/1")->commit, "beef");
  EXPECT_EQ(folder.find("beef")->directory, cache_ / "models--me--tiny/snapshots/beef");
  EXPECT_FALSE(folder.find("v2"));
}

TEST_F(HubCacheTest, ARefCannotLeadOutOfTheCache) {
  write("outside/config.json");
  write("models--me--tiny/refs/main", "../../outside");
  write("models--me--tiny/snapshots/x/config.json");
  EXPECT_FALSE(HubCacheFolder(cache_, "me/tiny").find("main"));
}

TEST_F(HubCacheTest, ASnapshotIsCompleteWithWeightsAndProcessor) {
  write("models--me--tiny/refs/main", "c0ffee");
  const fs::path snapshot = "models--me--tiny/snapshots/c0ffee";
  write(snapshot / "config.json");
  EXPECT_FALSE(complete());
  write(snapshot / "preprocessor_config.json");
  EXPECT_FALSE(complete());
  write(snapshot / "model.safetensors");
  EXPECT_TRUE(complete());
  EXPECT_FALSE(complete(/*with_tokenizer=*/true));
  write(snapshot / "tokenizer.json");
  EXPECT_TRUE(complete(/*with_tokenizer=*/true));
}

TEST_F(HubCacheTest, WhatTheRepositoryHasNotIsNotMissed) {
  write("models--me--tiny/refs/main", "c0ffee");
  write("models--me--tiny/snapshots/c0ffee/config.json");
  write("models--me--tiny/snapshots/c0ffee/model.safetensors");
  const HubCacheFolder folder(cache_, "me/tiny");
  folder.note_missing("c0ffee", "preprocessor_config.json");
  EXPECT_FALSE(complete());
  folder.note_missing("c0ffee", "processor_config.json");
  folder.note_missing("c0ffee", "open_clip_config.json");
  EXPECT_TRUE(complete());
  EXPECT_TRUE(fs::exists(cache_ / "models--me--tiny/.no_exist/c0ffee/processor_config.json"));
}

TEST_F(HubCacheTest, EveryShardOfAnIndexIsNeeded) {
  write("models--me--tiny/refs/main", "c0ffee");
  const fs::path snapshot = "models--me--tiny/snapshots/c0ffee";
  write(snapshot / "config.json");
  write(snapshot / "preprocessor_config.json");
  write(snapshot / "model.safetensors.index.json",
        R"({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}})");
  write(snapshot / "m-1.safetensors");
  EXPECT_FALSE(complete());
  write(snapshot / "m-2.safetensors");
  EXPECT_TRUE(complete());
  // A link whose blob is gone is no file.
  fs::remove(cache_ / snapshot / "m-2.safetensors");
  fs::create_symlink("../../blobs/gone", cache_ / snapshot / "m-2.safetensors");
  EXPECT_FALSE(complete());
}

TEST_F(HubCacheTest, LinksAreRelativeAndReplaced) {
  const HubCacheFolder folder(cache_, "me/tiny");
  folder.make_directories("c0ffee");
  write("models--me--tiny/blobs/one", "1");
  write("models--me--tiny/blobs/two", "2");
  folder.link("c0ffee", "config.json", "one");
  folder.link("c0ffee", "config.json", "two");
  const fs::path link = cache_ / "models--me--tiny/snapshots/c0ffee/config.json";
  EXPECT_EQ(fs::read_symlink(link), "../../blobs/two");
  EXPECT_EQ(read_file(link), "2");
  EXPECT_EQ(std::distance(fs::directory_iterator(link.parent_path()), {}), 1);
}

TEST_F(HubCacheTest, RevisionsAreReplacedWhole) {
  const HubCacheFolder folder(cache_, "me/tiny");
  folder.set_revision("refs/pr/7", "c0ffee");
  folder.set_revision("refs/pr/7", "beef");
  EXPECT_EQ(read_file(cache_ / "models--me--tiny/refs/refs/pr/7"), "beef");
  folder.set_revision("abc", "abc");  // a commit needs no ref
  EXPECT_FALSE(fs::exists(cache_ / "models--me--tiny/refs/abc"));
}

TEST_F(HubCacheTest, AnUnwritableCacheIsAnError) {
  write("models--me--tiny", "a file where a folder should be");
  const HubCacheFolder folder(cache_, "me/tiny");
  try {
    folder.make_directories("c0ffee");
    FAIL() << "made";
  } catch (const HubError& error) {
    EXPECT_EQ(error.kind(), HubError::Kind::kStorage);
    EXPECT_THAT(error.what(), testing::HasSubstr("models--me--tiny"));
  }
}

TEST_F(HubCacheTest, ListsModels) {
  write("models--me--tiny/refs/main", "c0ffee");
  write("models--me--tiny/snapshots/c0ffee/config.json");
  write("models--gpt2/refs/main", "c0ffee");
  write("models--gpt2/snapshots/c0ffee/config.json");
  write("models--half/refs/main", "c0ffee");
  write("datasets--me--data/refs/main", "c0ffee");
  EXPECT_THAT(cached_model_ids(cache_), testing::ElementsAre("gpt2", "me/tiny"));
  EXPECT_TRUE(cached_model_ids(cache_ / "nowhere").empty());
}

}  // namespace
}  // namespace vecframe::providers
