#include "providers/http/blob_download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <fstream>
#include <thread>

#include "hub_server.h"
#include "providers/http/content_digest.h"
#include "providers/http/hub_error.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr std::size_t kBytes = 3'000'000;

class BlobDownloadTest : public testing::Test {
 protected:
  void SetUp() override {
    content_ = long_text(kBytes);
    auto digest = ContentDigest::for_etag(std::string(64, '0'), static_cast<std::int64_t>(kBytes));
    digest->add(std::as_bytes(std::span(content_)));
    etag_ = digest->finish();
    fs::create_directories(blobs());
  }
  fs::path blobs() const { return server_.directory() / "blobs"; }
  fs::path blob() const { return blobs() / etag_; }
  fs::path incomplete() const { return blob().string() + ".incomplete"; }

  // Fetches the weights of a repository that behaves so, straight from the other port.
  void download(const json& behaviour, const CancellationToken* cancellation = nullptr) {
    server_.add_model("me/tiny", behaviour, kBytes);
    BlobSource source;
    source.name = "model.safetensors";
    source.url = server_.cdn_url() + "/me/tiny/model.safetensors";
    source.etag = etag_;
    source.size = static_cast<std::int64_t>(kBytes);
    const HubOptions options = HubServer::quick_options();
    HttpClient client(options.http, cancellation);
    download_blob(
        client, options.retry, source, blob(), blobs() / "lock",
        [this](std::int64_t bytes) { progress_.push_back(bytes); }, cancellation);
  }
  void expect_downloaded() {
    EXPECT_EQ(read_file(blob()), content_);
    EXPECT_FALSE(fs::exists(incomplete()));
    ASSERT_FALSE(progress_.empty());
    EXPECT_EQ(progress_.back(), static_cast<std::int64_t>(kBytes));
  }
  std::string range_of(std::size_t request) {
    const json range = server_.requests("cdn").at(request).at("range");
    return range.is_null() ? "" : range.get<std::string>();
  }

  HubServer server_;
  std::string content_, etag_;
  std::vector<std::int64_t> progress_;
};

TEST_F(BlobDownloadTest, DownloadsOnce) {
  download(json::object());
  expect_downloaded();
  download(json::object());
  EXPECT_EQ(server_.requests("cdn").size(), 1u);
}

TEST_F(BlobDownloadTest, ResumesWhereTheConnectionBroke) {
  download({{"truncate", 1'000'000}, {"truncate_times", 2}});
  expect_downloaded();
  ASSERT_EQ(server_.requests("cdn").size(), 3u);
  EXPECT_EQ(range_of(0), "");
  EXPECT_EQ(range_of(1), "bytes=1000000-");
  EXPECT_EQ(range_of(2), "bytes=2000000-");
}

TEST_F(BlobDownloadTest, ResumesWhatAnEarlierProcessLeft) {
  std::ofstream(incomplete()) << content_.substr(0, 2'500'000);
  download(json::object());
  expect_downloaded();
  EXPECT_EQ(range_of(0), "bytes=2500000-");
}

TEST_F(BlobDownloadTest, AWrongRestOfAnEarlierProcessIsFetchedAnew) {
  std::ofstream(incomplete()) << std::string(2'500'000, 'x');
  download(json::object());
  expect_downloaded();
  EXPECT_EQ(range_of(0), "bytes=2500000-");
  EXPECT_EQ(range_of(1), "");
}

TEST_F(BlobDownloadTest, ATooLongRestIsDropped) {
  std::ofstream(incomplete()) << content_ << "more";
  download(json::object());
  expect_downloaded();
  EXPECT_EQ(range_of(0), "");
}

TEST_F(BlobDownloadTest, AServerWithoutRangesStartsAgain) {
  std::ofstream(incomplete()) << content_.substr(0, 1000);
  download({{"no_ranges", true}});
  expect_downloaded();
}

TEST_F(BlobDownloadTest, ARefusedRangeStartsAgain) {
  std::ofstream(incomplete()) << content_.substr(0, 1000);
  download({{"range_refused", true}});
  expect_downloaded();
  EXPECT_EQ(range_of(1), "");
}

TEST_F(BlobDownloadTest, AnotherRangeThanAskedIsAnError) {
  std::ofstream(incomplete()) << content_.substr(0, 1000);
  EXPECT_THROW(download({{"range_shift", 5}}), HttpError);
  EXPECT_FALSE(fs::exists(blob()));
}

TEST_F(BlobDownloadTest, AWrongChecksumIsDiscarded) {
  try {
    download({{"corrupt", {"model.safetensors"}}});
    FAIL() << "accepted";
  } catch (const HubError& error) {
    EXPECT_EQ(error.kind(), HubError::Kind::kBroken);
    EXPECT_THAT(error.what(), HasSubstr("checksum"));
  }
  EXPECT_TRUE(fs::is_empty(blobs()) || !fs::exists(blob()));
  EXPECT_FALSE(fs::exists(incomplete()));
}

TEST_F(BlobDownloadTest, MoreBytesThanAnnouncedAreAnError) {
  EXPECT_THROW(download({{"longer", 100'000}}), HttpError);
  EXPECT_FALSE(fs::exists(blob()));
  EXPECT_LE(fs::file_size(incomplete()), kBytes);
}

TEST_F(BlobDownloadTest, ServerErrorsAreTriedAgain) {
  download({{"content_status", {500, 503, 429}}});
  expect_downloaded();
  EXPECT_EQ(server_.requests("cdn").size(), 4u);
}

TEST_F(BlobDownloadTest, ADripEndsAfterTheLastAttempt) {
  EXPECT_THROW(download({{"drip", 20}}), HttpError);
  EXPECT_EQ(server_.requests("cdn").size(), 5u);
  EXPECT_EQ(fs::file_size(incomplete()), 5u);  // kept for the next time
}

TEST_F(BlobDownloadTest, CancellationKeepsWhatIsThere) {
  CancellationToken token;
  std::thread canceller([&] {
    while (!fs::exists(incomplete()) || fs::file_size(incomplete()) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    token.cancel();
  });
  EXPECT_THROW(download({{"slow", 10}}, &token), Cancelled);
  canceller.join();
  EXPECT_GT(fs::file_size(incomplete()), 0u);
}

TEST_F(BlobDownloadTest, ALinkInPlaceOfTheFileIsNotFollowed) {
  fs::create_symlink(server_.directory() / "victim", incomplete());
  EXPECT_THROW(download(json::object()), HubError);
  EXPECT_FALSE(fs::exists(server_.directory() / "victim"));
}

TEST_F(BlobDownloadTest, AFullDiskIsAClearError) {
  server_.add_model("me/tiny");
  BlobSource source{"model.safetensors", server_.cdn_url() + "/me/tiny/model.safetensors", "",
                    etag_, std::int64_t{1} << 60};
  const HubOptions options = HubServer::quick_options();
  HttpClient client(options.http, nullptr);
  try {
    download_blob(client, options.retry, source, blob(), blobs() / "lock", {}, nullptr);
    FAIL() << "accepted";
  } catch (const HubError& error) {
    EXPECT_EQ(error.kind(), HubError::Kind::kStorage);
    EXPECT_THAT(error.what(), HasSubstr("HF_HUB_CACHE"));
  }
  EXPECT_TRUE(server_.requests("cdn").empty());
}

}  // namespace
}  // namespace vecframe::providers
