#include "providers/http/blob_download.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "providers/http/content_digest.h"
#include "providers/http/file_lock.h"
#include "providers/http/hub_error.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = 1 << 20;
// Less than this an attempt must bring, or it counts as failed: a server that gives a byte a time
// would otherwise be asked for ever.
constexpr std::int64_t kProgressBytes = 1 << 20;

[[noreturn]] void refuse(const char* what, const fs::path& path, int code) {
  throw HubError(HubError::Kind::kStorage,
                 fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(code)));
}

// The file that grows. Invariant: the first `offset_` bytes of it are what digest_ has seen. Bytes
// are written at their offset, so that even two writers without a working lock write the same.
class IncompleteFile final : public HttpBody {
 public:
  IncompleteFile(const BlobSource& source, fs::path path,
                 const std::function<void(std::int64_t)>& progress)
      : source_(source), path_(std::move(path)), progress_(progress), digest_(new_digest()) {
    file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file_ < 0) refuse("create", path_, errno);
    try {
      take_over();
    } catch (...) {
      close(file_);
      throw;
    }
    resumed_ = offset_ > 0;
  }
  ~IncompleteFile() override { close(file_); }
  IncompleteFile(const IncompleteFile&) = delete;
  IncompleteFile& operator=(const IncompleteFile&) = delete;

  std::int64_t offset() const { return offset_; }
  bool complete() const { return offset_ == source_.size; }
  /// Whether some bytes are of an earlier process, whose work nobody has checked yet.
  bool resumed() const { return resumed_; }

  void restart() {
    if (ftruncate(file_, 0) != 0) refuse("truncate", path_, errno);
    offset_ = 0;
    resumed_ = false;
    digest_ = new_digest();
    report();
  }

  void begin(const HttpResponse& response) override {
    if (response.status == 206) {
      if (response.range_begin() != offset_)
        throw broken("the server sends another part than was asked for");
    } else if (offset_ > 0) {
      restart();  // the server does not do ranges
    }
  }

  void write(std::span<const std::byte> bytes) override {
    if (static_cast<std::int64_t>(bytes.size()) > source_.size - offset_)
      throw broken(fmt::format("the server sends more than the {} bytes announced", source_.size));
    digest_.add(bytes);
    while (!bytes.empty()) {
      const ssize_t written = pwrite(file_, bytes.data(), bytes.size(), offset_);
      if (written < 0 && errno == EINTR) continue;
      // The digest has seen bytes that the file lacks: this object is of no use any more.
      if (written <= 0) refuse("write", path_, written == 0 ? ENOSPC : errno);
      offset_ += written;
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    report();
  }

  /// Whether all bytes are there and are the ones that the etag names. Only once until restart().
  bool verify() { return complete() && digest_.finish() == source_.etag; }

  void publish(const fs::path& blob) {
    if (fsync(file_) != 0) refuse("write", path_, errno);
    if (rename(path_.c_str(), blob.c_str()) != 0) refuse("create", blob, errno);
  }

 private:
  ContentDigest new_digest() const {
    auto digest = ContentDigest::for_etag(source_.etag, source_.size);
    if (!digest) throw broken("the server names no checksum for it");
    return std::move(*digest);
  }

  HttpError broken(const std::string& why) const {
    return {HttpError::Kind::kProtocol, fmt::format("{}: {}", source_.name, why)};
  }

  // Reads what an earlier attempt left.
  void take_over() {
    struct stat state {};
    if (fstat(file_, &state) != 0) refuse("read", path_, errno);
    if (!S_ISREG(state.st_mode)) refuse("write", path_, EINVAL);
    if (state.st_size > source_.size) return restart();
    std::vector<std::byte> buffer(kReadBytes);
    while (offset_ < state.st_size) {
      const ssize_t count = pread(file_, buffer.data(), buffer.size(), offset_);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) refuse("read", path_, errno);
      if (count == 0) break;
      digest_.add({buffer.data(), static_cast<std::size_t>(count)});
      offset_ += count;
    }
    report();
  }

  void report() const {
    if (progress_) progress_(offset_);
  }

  const BlobSource& source_;
  fs::path path_;
  const std::function<void(std::int64_t)>& progress_;
  ContentDigest digest_;
  int file_ = -1;
  std::int64_t offset_ = 0;
  bool resumed_ = false;
};

void check_space(const fs::path& directory, std::int64_t needed) {
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (!error && space.available < static_cast<std::uintmax_t>(needed))
    throw HubError(
        HubError::Kind::kStorage,
        fmt::format("{} has {} MB free where {} MB are needed; free some, or set "
                    "HF_HUB_CACHE to a larger disk",
                    directory.string(), space.available / 1'000'000, needed / 1'000'000 + 1));
}

// One request; returns when the file is complete.
void fetch_rest(HttpClient& client, const BlobSource& source, IncompleteFile& file) {
  HttpRequest request;
  request.url = source.url;
  request.token = source.token;
  request.range_start = file.offset();
  const HttpResponse response = client.exchange(request, &file);
  if (response.status == 416 && file.offset() > 0) {
    file.restart();
    throw HttpError(HttpError::Kind::kNetwork,
                    fmt::format("{}: the server refuses to resume", source.name));
  }
  if (response.status != 200 && response.status != 206)
    throw HttpError(HttpError::Kind::kProtocol, fmt::format("{}: the server answers with status {}",
                                                            source.name, response.status));
  if (!file.complete())
    throw HttpError(HttpError::Kind::kNetwork,
                    fmt::format("{}: the answer ends after {} of {} bytes", source.name,
                                file.offset(), source.size));
}

}  // namespace

void download_blob(HttpClient& client, const RetryPolicy& retry, const BlobSource& source,
                   const fs::path& blob, const fs::path& lock,
                   const std::function<void(std::int64_t)>& progress,
                   const CancellationToken* cancellation) {
  const FileLock held(lock, cancellation);
  std::error_code error;
  if (static_cast<std::int64_t>(fs::file_size(blob, error)) == source.size && !error) {
    if (progress) progress(source.size);
    return;
  }
  const fs::path path = blob.string() + ".incomplete";
  IncompleteFile file(source, path, progress);
  check_space(blob.parent_path(), source.size - file.offset());
  RetrySchedule schedule(retry, cancellation);
  for (;;) {
    const std::int64_t before = file.offset();
    try {
      // An empty file is complete before the first request.
      if (!file.complete()) fetch_rest(client, source, file);
      if (file.verify()) return file.publish(blob);
    } catch (const HttpError& failure) {
      if (file.offset() - before >= kProgressBytes) schedule.made_progress();
      schedule.wait_or_throw(failure);
      continue;
    }
    if (!file.resumed()) {
      unlink(path.c_str());
      throw HubError(HubError::Kind::kBroken,
                     fmt::format("{} arrives with a wrong checksum and was discarded; try again, "
                                 "or look for a proxy or mirror that changes files",
                                 source.name));
    }
    file.restart();  // perhaps only what was there before is wrong
  }
}

}  // namespace vecframe::providers
