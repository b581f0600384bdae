#include "providers/http/hub_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {
    "HF_ENDPOINT",    "HF_HUB_CACHE",        "HF_HOME", "XDG_CACHE_HOME",
    "HF_TOKEN",       "HF_TOKEN_PATH",       "HOME",    "HF_HUB_DISABLE_IMPLICIT_TOKEN",
    "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"};

class HubSettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kNames) {
      if (const char* value = std::getenv(name)) before_[name] = value;
      unsetenv(name);
    }
    home_ = fs::path(testing::TempDir()) / ("settings_" + std::to_string(getpid()));
    fs::create_directories(home_);
    setenv("HOME", home_.c_str(), 1);
  }
  void TearDown() override {
    for (const char* name : kNames) {
      unsetenv(name);
      if (before_.count(name) != 0) setenv(name, before_[name].c_str(), 1);
    }
    fs::remove_all(home_);
  }
  fs::path home_;
  std::map<std::string, std::string> before_;
};

TEST_F(HubSettingsTest, DefaultsAreThePublicHubAndTheHomeDirectory) {
  const HubSettings settings = HubSettings::from_environment();
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.cache, home_ / ".cache/huggingface/hub");
  EXPECT_EQ(settings.token, "");
  EXPECT_FALSE(settings.offline);
}

TEST_F(HubSettingsTest, TheCacheHasThreeNames) {
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(hub_cache_directory(), "/xdg/huggingface/hub");
  setenv("HF_HOME", "~/hf", 1);
  EXPECT_EQ(hub_cache_directory(), home_ / "hf/hub");
  setenv("HF_HUB_CACHE", "/cache", 1);
  EXPECT_EQ(hub_cache_directory(), "/cache");
}

TEST_F(HubSettingsTest, TheTokenComesFromTheEnvironmentOrAFile) {
  fs::create_directories(home_ / ".cache/huggingface");
  std::ofstream(home_ / ".cache/huggingface/token") << "hf_file\n";
  EXPECT_EQ(HubSettings::from_environment().token, "hf_file");
  std::ofstream(home_ / "other") << "hf_other";
  setenv("HF_TOKEN_PATH", (home_ / "other").c_str(), 1);
  EXPECT_EQ(HubSettings::from_environment().token, "hf_other");
  setenv("HF_TOKEN", " hf_env ", 1);
  EXPECT_EQ(HubSettings::from_environment().token, "hf_env");
  unsetenv("HF_TOKEN");
  setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1", 1);
  EXPECT_EQ(HubSettings::from_environment().token, "");
}

TEST_F(HubSettingsTest, ATokenThatWouldBreakAHeaderIsRefusedAndNotShown) {
  setenv("HF_TOKEN", "hf_secret\r\nHost: evil", 1);
  try {
    HubSettings::from_environment();
    FAIL() << "accepted";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("secret")));
    EXPECT_THAT(error.what(), testing::HasSubstr("HF_TOKEN"));
  }
}

TEST_F(HubSettingsTest, EndpointsAreHttp) {
  setenv("HF_ENDPOINT", "http://mirror.example:8080/hf/", 1);
  EXPECT_EQ(HubSettings::from_environment().endpoint, "http://mirror.example:8080/hf");
  for (const char* bad : {"mirror", "file:///etc", "ftp://x"}) {
    setenv("HF_ENDPOINT", bad, 1);
    EXPECT_THROW(HubSettings::from_environment(), RequestError) << bad;
  }
}

TEST_F(HubSettingsTest, OfflineHasTwoNames) {
  setenv("HF_HUB_OFFLINE", "0", 1);
  EXPECT_FALSE(HubSettings::from_environment().offline);
  setenv("HF_HUB_OFFLINE", "true", 1);
  EXPECT_TRUE(HubSettings::from_environment().offline);
  unsetenv("HF_HUB_OFFLINE");
  setenv("TRANSFORMERS_OFFLINE", "1", 1);
  EXPECT_TRUE(HubSettings::from_environment().offline);
}

}  // namespace
}  // namespace vecframe::providers
