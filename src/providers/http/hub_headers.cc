#include "providers/http/hub_headers.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "safetensors lengths are little-endian");

// Files that say what a model is. Vocabularies do not, and are large.
constexpr std::array<std::string_view, 6> kDescribing{kConfigName,
                                                      kOpenClipConfigName,
                                                      "preprocessor_config.json",
                                                      "processor_config.json",
                                                      "tokenizer_config.json",
                                                      "README.md"};
constexpr std::int64_t kMaxSmallFileBytes = 16 << 20;  // what the readers of these files take
constexpr std::int64_t kMaxIndexBytes = 100'000'000;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the safetensors format's own limit
constexpr std::int64_t kLengthBytes = 8;

// Thrown at a server that goes on after what was asked for.
struct Enough {};

// The beginning of a safetensors file: how long the header is, and the header.
class HeaderBody final : public HttpBody {
 public:
  explicit HeaderBody(const BlobSource& source) : source_(source) {
    if (source.size < kLengthBytes) throw unusable("is too short");
  }

  std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }
  /// Bytes from the beginning that are wanted as far as is known.
  std::int64_t wanted() const { return wanted_; }
  bool complete() const { return wanted_ > kLengthBytes && size() == wanted_; }
  std::span<const char> bytes() const { return bytes_; }

  void begin(const HttpResponse& response) override {
    partial_ = response.status == 206;
    if (!partial_) {  // the server does not do ranges
      bytes_.clear();
    } else if (response.range_begin() != size()) {
      throw HttpError(
          HttpError::Kind::kProtocol,
          fmt::format("{}: the server sends another part than was asked for", source_.name));
    }
  }

  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty() && size() < wanted_) {
      const auto count = std::min(bytes.size(), static_cast<std::size_t>(wanted_ - size()));
      const char* data = reinterpret_cast<const char*>(bytes.data());
      bytes_.insert(bytes_.end(), data, data + count);
      bytes = bytes.subspan(count);
      if (size() == kLengthBytes) read_length();
    }
    // A partial answer that ends by itself leaves the connection open for the next request.
    if (complete() && (!partial_ || !bytes.empty())) throw Enough();
  }

 private:
  HubError unusable(std::string_view why) const {
    return {HubError::Kind::kUnusable,
            fmt::format("its {} on the hub is no safetensors file: it {}", source_.name, why)};
  }

  void read_length() {
    std::uint64_t header = 0;
    std::memcpy(&header, bytes_.data(), sizeof header);
    if (header == 0 || header > kMaxHeaderBytes ||
        header > static_cast<std::uint64_t>(source_.size - kLengthBytes))
      throw unusable(fmt::format("claims a header of {} bytes in {}", header, source_.size));
    wanted_ = kLengthBytes + static_cast<std::int64_t>(header);
  }

  const BlobSource& source_;
  std::vector<char> bytes_;
  std::int64_t wanted_ = kLengthBytes;
  bool partial_ = false;  // the answer that comes just now
};

// One request for what is still wanted; whatever brings less counts as failed.
void fetch_part(HttpClient& client, const BlobSource& source, HeaderBody& body) {
  const std::int64_t wanted = body.wanted();
  HttpRequest request;
  request.url = source.url;
  request.token = source.token;
  request.range_start = body.size();
  request.range_bytes = wanted - body.size();
  try {
    const HttpResponse response = client.exchange(request, &body);
    if (response.status != 200 && response.status != 206)
      throw HttpError(
          HttpError::Kind::kProtocol,
          fmt::format("{}: the server answers with status {}", source.name, response.status));
  } catch (const Enough&) {
    return;
  }
  if (body.size() < wanted)
    throw HttpError(
        HttpError::Kind::kNetwork,
        fmt::format("{}: the answer ends after {} of {} bytes", source.name, body.size(), wanted));
}

void write_sparse(const fs::path& path, std::span<const char> head, std::int64_t size) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(head.data(), static_cast<std::streamsize>(head.size()));
  file.close();
  std::error_code error;
  if (file) fs::resize_file(path, static_cast<std::uintmax_t>(size), error);
  if (!file || error)
    throw HubError(HubError::Kind::kStorage,
                   fmt::format("cannot write {} of {} bytes, nearly all of them a hole: {}",
                               path.string(), size, error ? error.message() : "no space"));
}

class HeaderFetch {
 public:
  HeaderFetch(HubRepository& repository, const HubOptions& options, std::string commit,
              fs::path directory)
      : repository_(repository),
        options_(options),
        commit_(std::move(commit)),
        directory_(std::move(directory)) {}

  void whole_file(const std::string& name, std::int64_t max_bytes) {
    const BlobSource source = repository_.ask_file(commit_, name);
    if (source.size > max_bytes)
      throw HubError(HubError::Kind::kBroken,
                     fmt::format("its {} claims {} bytes", name, source.size));
    download_blob(repository_.client(), options_.retry, source, directory_ / name,
                  directory_ / ".lock", {}, options_.cancellation);
  }

  void header(const std::string& name) {
    const BlobSource source = repository_.ask_file(commit_, name);
    HeaderBody body(source);
    while (!body.complete()) {
      with_retries(options_.retry, options_.cancellation,
                   [&] { fetch_part(repository_.client(), source, body); });
    }
    write_sparse(directory_ / name, body.bytes(), source.size);
  }

 private:
  HubRepository& repository_;
  const HubOptions& options_;
  std::string commit_;
  fs::path directory_;
};

}  // namespace

HubHeaders fetch_headers(const HubId& id, const HubSettings& settings, const HubOptions& options) {
  HubRepository repository(id, settings, options);
  try {
    const HubRevision revision = repository.ask_revision();
    HubFileChoice choice = choose_usable_files(revision);
    auto directory = std::make_shared<const TemporaryDirectory>();
    HeaderFetch fetch(repository, options, revision.commit, directory->path());
    if (choice.weights.front() == kWeightsIndexName) {
      const std::string index(kWeightsIndexName);
      fetch.whole_file(index, kMaxIndexBytes);
      std::ifstream file(directory->path() / index, std::ios::binary);
      choice.weights = shards_of_index({std::istreambuf_iterator<char>(file), {}});
    }
    for (const std::string& name : choice.small) {
      if (std::find(kDescribing.begin(), kDescribing.end(), name) != kDescribing.end())
        fetch.whole_file(name, kMaxSmallFileBytes);
    }
    for (const std::string& name : choice.weights) fetch.header(name);
    return {std::move(directory), revision.commit};
  } catch (const HttpError& error) {
    throw repository.explain(error);
  }
}

}  // namespace vecframe::providers
