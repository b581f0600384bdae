#include "providers/http/hub_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <set>

#include "hub_server.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Kind = HubError::Kind;

class HubClientTest : public testing::Test {
 protected:
  HubSnapshot fetch(const std::string& id) {
    return fetch_snapshot(*parse_hub_id(id), settings_, options_);
  }
  // The kind of error, which must name neither the token nor a signature.
  std::optional<Kind> refusal(const std::string& id, const std::string& words = "") {
    try {
      fetch(id);
    } catch (const HubError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_THAT(error.what(), Not(HasSubstr("hf_secret")));
      EXPECT_THAT(error.what(), Not(HasSubstr("verysecret")));
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
      return error.kind();
    }
    return {};
  }
  fs::path folder(const std::string& name) const { return settings_.cache / name; }

  HubServer server_;
  HubSettings settings_ = server_.settings();
  HubOptions options_ = HubServer::quick_options();
};

TEST_F(HubClientTest, BringsAModelIntoTheSharedLayout) {
  server_.add_model("me/tiny");
  server_.add_file("me/tiny", "tokenizer.json", "{\"large\": true}");
  settings_.token = "hf_secret";
  const HubSnapshot snapshot = fetch("me/tiny");
  EXPECT_EQ(snapshot.commit.size(), 40u);
  EXPECT_EQ(snapshot.directory, folder("models--me--tiny/snapshots") / snapshot.commit);
  EXPECT_EQ(read_file(snapshot.directory / "model.safetensors"), long_text(300'000));
  EXPECT_EQ(read_file(snapshot.directory / "config.json"), R"({"model_type": "clip"})");
  EXPECT_EQ(read_file(folder("models--me--tiny/refs/main")), snapshot.commit);
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(snapshot.directory)) {
    files.insert(entry.path().filename());
    EXPECT_TRUE(fs::read_symlink(entry.path()).string().starts_with("../../blobs/"));
  }
  EXPECT_EQ(files, (std::set<std::string>{"config.json", "preprocessor_config.json",
                                          "model.safetensors", "tokenizer.json"}));
  EXPECT_TRUE(fs::exists(folder("models--me--tiny/.no_exist") / snapshot.commit / "merges.txt"));

  bool hub_saw_token = false;
  for (const json& request : server_.requests()) {
    if (request.at("role") == "hub") {
      hub_saw_token |= request.at("authorization") == "Bearer hf_secret";
    } else {
      EXPECT_TRUE(request.at("authorization").is_null()) << request;
    }
  }
  EXPECT_TRUE(hub_saw_token);
  EXPECT_EQ(server_.requests("cdn").size(), 2u);
}

TEST_F(HubClientTest, ACompleteSnapshotNeedsNoNetwork) {
  server_.add_model("me/tiny");
  const HubSnapshot first = fetch("me/tiny");
  const std::size_t asked = server_.requests().size();
  EXPECT_EQ(fetch("me/tiny").directory, first.directory);
  EXPECT_EQ(fetch("me/tiny@" + first.commit).directory, first.directory);
  EXPECT_EQ(server_.requests().size(), asked);
}

TEST_F(HubClientTest, FillsUpWhatAnotherToolLeftOut) {
  server_.add_model("me/tiny");
  const HubSnapshot first = fetch("me/tiny");
  fs::remove(first.directory / "preprocessor_config.json");
  const std::size_t downloads = server_.requests("cdn").size();
  fetch("me/tiny");
  EXPECT_TRUE(fs::exists(first.directory / "preprocessor_config.json"));
  EXPECT_EQ(server_.requests("cdn").size(), downloads);  // the weights were there
}

TEST_F(HubClientTest, RevisionsArePinnedAndRecorded) {
  server_.add_model("me/tiny");
  const HubSnapshot snapshot = fetch("me/tiny@refs/pr/1");
  EXPECT_EQ(read_file(folder("models--me--tiny/refs/refs/pr/1")), snapshot.commit);
  EXPECT_EQ(server_.requests().front().at("path"), "/api/models/me/tiny/revision/refs%2Fpr%2F1");
  EXPECT_EQ(refusal("me/tiny@v9", "no revision 'v9'"), Kind::kNoRevision);
}

TEST_F(HubClientTest, ShardsComeFromTheIndex) {
  server_.add_model("me/big");
  fs::remove(server_.directory() / "repositories/me/big/model.safetensors");
  server_.add_file("me/big", "model.safetensors.index.json",
                   R"({"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}})");
  server_.add_file("me/big", "part-1.safetensors", long_text(1000));
  server_.add_file("me/big", "part-2.safetensors", long_text(2000));
  server_.add_file("me/big", "unrelated.safetensors", long_text(3000));
  const HubSnapshot snapshot = fetch("me/big");
  EXPECT_EQ(fs::file_size(snapshot.directory / "part-2.safetensors"), 2000u);
  EXPECT_TRUE(fs::exists(snapshot.directory / "model.safetensors.index.json"));
  EXPECT_FALSE(fs::exists(snapshot.directory / "unrelated.safetensors"));
}

TEST_F(HubClientTest, ProgressEndsAtTheTotal) {
  server_.add_model("me/tiny");
  HubProgress last;
  options_.progress = [&](const HubProgress& progress) {
    EXPECT_LE(progress.done, progress.total);
    EXPECT_GE(progress.done, last.done);
    last = progress;
  };
  fetch("me/tiny");
  EXPECT_EQ(last.file, "config.json");
  EXPECT_EQ(last.done, last.total);
  EXPECT_GT(last.total, 300'000);
}

TEST_F(HubClientTest, FollowsAMovedModel) {
  const std::string commit(40, 'c');
  server_.add_model("me/new", {{"commit", commit}});
  server_.add_model("me/old", {{"commit", commit}, {"resolve_renamed", "me/new"}});
  settings_.token = "hf_secret";
  const HubSnapshot snapshot = fetch("me/old");
  EXPECT_EQ(snapshot.directory, folder("models--me--old/snapshots") / commit);
  EXPECT_EQ(read_file(snapshot.directory / "model.safetensors"), long_text(300'000));
  for (const json& request : server_.requests("hub"))
    EXPECT_EQ(request.at("authorization"), "Bearer hf_secret");
}

TEST_F(HubClientTest, BusyHubsAreAskedAgain) {
  server_.add_model("me/busy", {{"api", {429, 500, 503}}, {"retry_after", 0}});
  EXPECT_EQ(refusal("me/busy"), std::nullopt);
  server_.add_model("me/broken", {{"api", {500, 500, 500, 500, 500}}});
  EXPECT_EQ(refusal("me/broken", "status 500"), Kind::kUnreachable);
}

TEST_F(HubClientTest, RefusalsNameTheFix) {
  EXPECT_EQ(refusal("me/none", "HF_TOKEN"), Kind::kNotFound);
  settings_.token = "hf_secret";
  EXPECT_EQ(refusal("me/none", "no such model"), Kind::kNotFound);
  server_.add_model("me/gated", {{"gated", true}});
  EXPECT_EQ(refusal("me/gated", "accept them at " + server_.url() + "/me/gated"), Kind::kForbidden);
  server_.add_model("me/private", {{"needs_token", "hf_other"}});
  EXPECT_EQ(refusal("me/private", "refuses the token"), Kind::kForbidden);
  settings_.token.clear();
  EXPECT_EQ(refusal("me/private", "if it is private"), Kind::kNotFound);
  server_.add_model("me/pickle");
  fs::remove(server_.directory() / "repositories/me/pickle/model.safetensors");
  EXPECT_EQ(refusal("me/pickle", "pickles"), Kind::kUnusable);
  server_.add_file("me/data", "README.md", "no model");
  EXPECT_EQ(refusal("me/data", "config.json"), Kind::kUnusable);
  EXPECT_FALSE(fs::exists(folder("models--me--data")));
}

TEST_F(HubClientTest, APrivateModelComesWithItsToken) {
  server_.add_model("me/private", {{"needs_token", "hf_secret"}});
  settings_.token = "hf_secret";
  EXPECT_EQ(refusal("me/private"), std::nullopt);
}

TEST_F(HubClientTest, WrongContentsAreDiscarded) {
  server_.add_model("me/large", {{"corrupt", {"model.safetensors"}}});
  EXPECT_EQ(refusal("me/large", "checksum"), Kind::kBroken);
  server_.add_model("me/small", {{"corrupt", {"config.json"}}});
  EXPECT_EQ(refusal("me/small", "checksum"), Kind::kBroken);
  for (const char* model : {"models--me--large", "models--me--small"}) {
    EXPECT_FALSE(fs::exists(folder(model) / "refs/main"));
    settings_.offline = true;
    EXPECT_EQ(refusal(model == std::string("models--me--large") ? "me/large" : "me/small"),
              Kind::kOffline);
    settings_.offline = false;
  }
}

TEST_F(HubClientTest, AnswersThatContradictAHubAreErrors) {
  server_.add_model("me/commit", {{"said_commit", std::string(40, 'a')}});
  EXPECT_EQ(refusal("me/commit", "x-repo-commit"), Kind::kBroken);
  server_.add_model("me/etag", {{"etag", "../../../../escaped"}});
  EXPECT_EQ(refusal("me/etag", "checksum"), Kind::kBroken);
  server_.add_model("me/size", {{"said_size", 1000}});
  EXPECT_EQ(refusal("me/size", "more than the 1000 bytes"), Kind::kBroken);
  server_.add_model("me/bigger", {{"said_size", 300'001}});
  EXPECT_EQ(refusal("me/bigger", "ends after 300000"), Kind::kUnreachable);
  server_.add_model("me/html", {{"api_body", "<html>Please log in to the hotel's network"}});
  EXPECT_EQ(refusal("me/html", "proxies"), Kind::kBroken);
}

TEST_F(HubClientTest, OfflineUsesWhatIsThere) {
  server_.add_model("me/tiny");
  settings_.offline = true;
  EXPECT_EQ(refusal("me/tiny", "HF_HUB_OFFLINE"), Kind::kOffline);
  EXPECT_TRUE(server_.requests().empty());
  settings_.offline = false;
  const HubSnapshot snapshot = fetch("me/tiny");
  settings_.offline = true;
  fs::remove(snapshot.directory / "preprocessor_config.json");
  EXPECT_EQ(fetch("me/tiny").directory, snapshot.directory);
}

TEST_F(HubClientTest, AnUnreachableHubLeavesTheCache) {
  server_.add_model("me/tiny");
  const HubSnapshot snapshot = fetch("me/tiny");
  fs::remove(snapshot.directory / "preprocessor_config.json");
  settings_.endpoint = "http://127.0.0.1:1";
  EXPECT_EQ(fetch("me/tiny").directory, snapshot.directory);
  EXPECT_EQ(refusal("me/other", "cannot be reached"), Kind::kUnreachable);
}

TEST_F(HubClientTest, ManyProcessesMakeOneCache) {
  server_.add_model("me/tiny", {{"slow", 1}}, 2'000'000);
  constexpr int kProcesses = 4;
  pid_t children[kProcesses];
  for (pid_t& child : children) {
    child = fork();
    if (child == 0) {
      try {
        const HubSnapshot snapshot = fetch("me/tiny");
        _exit(read_file(snapshot.directory / "model.safetensors") == long_text(2'000'000) ? 0 : 1);
      } catch (...) {
        _exit(2);
      }
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(server_.requests("cdn").size(), 1u);  // the others waited
}

TEST(ParseRevisionTest, RefusesHostileAnswers) {
  const std::string sha(40, 'a');
  EXPECT_EQ(parse_revision(R"({"sha": ")" + sha + R"(", "siblings": [{"rfilename": "x"}, 3, {}]})")
                .files.size(),
            1u);
  for (const std::string& bad :
       {std::string("null"), std::string("{}"), R"({"sha": ")" + sha + R"("})",
        std::string(R"({"sha": "../../x", "siblings": []})"),
        std::string(R"({"sha": 7, "siblings": []})"),
        R"({"sha": ")" + sha + R"(", "siblings": {}})", std::string(300'000, '['),
        std::string("\xff\xfe")})
    EXPECT_THROW(parse_revision(bad), HubError) << bad.substr(0, 80);
}

}  // namespace
}  // namespace vecframe::providers
