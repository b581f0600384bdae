#include "job/vector_store.h"

#include <lmdb.h>
#include <sys/mman.h>
#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace vecframe::job {
namespace {

// Vectors that are held back before they are written together.
constexpr std::size_t kBatch = 128;
constexpr std::size_t kBatchBytes = std::size_t{1} << 20;
// Lookups after which mapped pages are let go.
constexpr std::uint64_t kLookups = 512;
// A vector that is used is young again, if it has aged so long.
constexpr std::uint64_t kAgeToRenew = std::uint64_t{24} * 3600 * 1'000'000;

using Key = std::array<std::uint64_t, 4>;  // recipe, content

/// Microseconds since 1970; the key of the table of ages, which LMDB orders by its bytes.
struct Stamp {
  std::uint64_t time = 0;
  std::array<std::uint8_t, 8> bytes() const {
    std::array<std::uint8_t, 8> result;
    for (std::size_t i = 0; i < 8; ++i)
      result[i] = static_cast<std::uint8_t>(time >> (8 * (7 - i)));
    return result;
  }
};

std::uint64_t now() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

MDB_val value_of(const void* bytes, std::size_t size) { return {size, const_cast<void*>(bytes)}; }

/// A transaction that ends with its scope, without effect unless committed.
class Transaction {
 public:
  Transaction(MDB_env* environment, unsigned flags) {
    status_ = mdb_txn_begin(environment, nullptr, flags, &transaction_);
  }
  ~Transaction() {
    if (transaction_ != nullptr) mdb_txn_abort(transaction_);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  int status() const { return status_; }
  MDB_txn* get() const { return transaction_; }
  int commit() { return mdb_txn_commit(std::exchange(transaction_, nullptr)); }

 private:
  MDB_txn* transaction_ = nullptr;
  int status_ = 0;
};

// LMDB wants an environment to be open once in a process.
class Environment {
 public:
  /// The one of this directory, if it is open already.
  static std::shared_ptr<Environment> open_shared(const VectorStoreOptions& options) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<Environment>> open;
    std::error_code error;
    std::filesystem::create_directories(options.directory, error);
    if (error) refuse(options.directory, error.message());
    const std::string path = std::filesystem::canonical(options.directory, error).string();
    std::lock_guard lock(mutex);
    std::erase_if(open, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<Environment> environment = open[path].lock();
    if (environment == nullptr) {
      environment = std::make_shared<Environment>(options, path);
      open[path] = environment;
    }
    return environment;
  }

  Environment(const VectorStoreOptions& options, std::string path)
      : directory_(options.directory),
        path_(std::move(path)),
        max_bytes_(std::max(options.max_bytes, VectorStore::kLeastBytes)) {
    check(mdb_env_create(&environment_));
    try {
      open();
    } catch (...) {
      mdb_env_close(environment_);
      throw;
    }
  }
  ~Environment() {
    flush();
    mdb_env_close(environment_);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  bool find(const Key& key, std::span<float> vector) {
    const std::size_t bytes = vector.size_bytes();
    if (find_held_back(key, vector)) return true;
    std::uint64_t stamp = 0;
    {
      const Transaction transaction(environment_, MDB_RDONLY);
      if (transaction.status() != 0) return false;
      MDB_val name = value_of(key.data(), sizeof key), found{};
      if (mdb_get(transaction.get(), vectors_, &name, &found) != 0) return false;
      if (found.mv_size != sizeof stamp + bytes) return false;
      std::memcpy(&stamp, found.mv_data, sizeof stamp);
      std::memcpy(vector.data(), static_cast<const char*>(found.mv_data) + sizeof stamp, bytes);
    }
    if (++lookups_ % kLookups == 0) let_pages_go();
    if (now() > stamp + kAgeToRenew) store(key, vector);
    return true;
  }

  void store(const Key& key, std::span<const float> vector) {
    std::lock_guard lock(mutex_);
    held_back_.push_back({key, {vector.begin(), vector.end()}});
    held_back_bytes_ += vector.size_bytes();
    if (held_back_.size() >= kBatch || held_back_bytes_ >= kBatchBytes) write_locked();
  }

  void flush() {
    std::lock_guard lock(mutex_);
    write_locked();
  }

 private:
  struct Entry {
    Key key;
    std::vector<float> vector;
  };

  [[noreturn]] static void refuse(const std::string& directory, const std::string& reason) {
    throw RequestError("cache: '" + directory + "' cannot be used (" + reason +
                       "); give another directory, or delete this one");
  }
  void check(int status) const {
    if (status != 0) refuse(directory_, mdb_strerror(status));
  }

  void open() {
    check(mdb_env_set_mapsize(environment_, static_cast<std::size_t>(max_bytes_)));
    check(mdb_env_set_maxdbs(environment_, 2));
    // Whole transactions may be lost with the machine, but no part of one.
    check(mdb_env_open(environment_, directory_.c_str(), MDB_NOTLS | MDB_NORDAHEAD | MDB_NOMETASYNC,
                       0644));
    int dead = 0;
    mdb_reader_check(environment_, &dead);  // slots of processes that were killed
    Transaction transaction(environment_, 0);
    check(transaction.status());
    check(mdb_dbi_open(transaction.get(), "vectors", MDB_CREATE, &vectors_));
    check(mdb_dbi_open(transaction.get(), "ages", MDB_CREATE, &ages_));
    check(transaction.commit());
    MDB_stat stat{};
    check(mdb_env_stat(environment_, &stat));
    page_bytes_ = static_cast<std::int64_t>(stat.ms_psize);
    find_map();
  }

  // Where LMDB has mapped its file, which it does not tell.
  void find_map() {
    std::ifstream maps("/proc/self/maps");
    const std::string file = path_ + "/data.mdb";
    for (std::string line; std::getline(maps, line);) {
      if (!line.ends_with(file)) continue;
      unsigned long long begin = 0, end = 0;
      if (std::sscanf(line.c_str(), "%llx-%llx", &begin, &end) != 2) return;
      map_ = reinterpret_cast<void*>(static_cast<std::uintptr_t>(begin));
      map_bytes_ = static_cast<std::size_t>(end - begin);
      return;
    }
  }

  bool find_held_back(const Key& key, std::span<float> vector) {
    std::lock_guard lock(mutex_);
    for (const Entry& entry : held_back_) {
      if (entry.key != key || entry.vector.size() != vector.size()) continue;
      std::copy(entry.vector.begin(), entry.vector.end(), vector.begin());
      return true;
    }
    return false;
  }

  // What cannot be written is forgotten: the next run embeds it again.
  void write_locked() {
    if (held_back_.empty()) return;
    const std::vector<Entry> entries = std::exchange(held_back_, {});
    held_back_bytes_ = 0;
    if (write(entries)) return;
    // Pages that a reader still looked at could not be used again; those that go now can be.
    if (write({})) write(entries);
  }

  bool write(const std::vector<Entry>& entries) {
    Transaction transaction(environment_, 0);
    if (transaction.status() != 0) return false;
    if (!make_room(transaction.get())) return false;
    std::vector<char> bytes;
    for (const Entry& entry : entries) {
      remove_age(transaction.get(), entry.key);
      std::uint64_t stamp = 0;
      if (!put_age(transaction.get(), entry.key, stamp)) return false;
      bytes.resize(sizeof stamp + entry.vector.size() * sizeof(float));
      std::memcpy(bytes.data(), &stamp, sizeof stamp);
      std::memcpy(bytes.data() + sizeof stamp, entry.vector.data(),
                  entry.vector.size() * sizeof(float));
      MDB_val name = value_of(entry.key.data(), sizeof entry.key);
      MDB_val value = value_of(bytes.data(), bytes.size());
      if (mdb_put(transaction.get(), vectors_, &name, &value, 0) != 0) return false;
    }
    return transaction.commit() == 0;
  }

  // A time of its own, later than all before.
  bool put_age(MDB_txn* transaction, const Key& key, std::uint64_t& stamp) {
    for (stamp = now();; ++stamp) {
      const auto name_bytes = Stamp{stamp}.bytes();
      MDB_val name = value_of(name_bytes.data(), name_bytes.size());
      MDB_val value = value_of(key.data(), sizeof key);
      const int status = mdb_put(transaction, ages_, &name, &value, MDB_NOOVERWRITE);
      if (status == 0) return true;
      if (status != MDB_KEYEXIST) return false;
    }
  }

  void remove_age(MDB_txn* transaction, const Key& key) {
    MDB_val name = value_of(key.data(), sizeof key), found{};
    if (mdb_get(transaction, vectors_, &name, &found) != 0 || found.mv_size < sizeof(std::uint64_t))
      return;
    Stamp stamp;
    std::memcpy(&stamp.time, found.mv_data, sizeof stamp.time);
    const auto bytes = stamp.bytes();
    MDB_val age = value_of(bytes.data(), bytes.size());
    mdb_del(transaction, ages_, &age, nullptr);
  }

  std::int64_t used_bytes(MDB_txn* transaction) const {
    std::int64_t pages = 0;
    for (const MDB_dbi table : {vectors_, ages_}) {
      MDB_stat stat{};
      if (mdb_stat(transaction, table, &stat) != 0) return max_bytes_;
      pages += static_cast<std::int64_t>(stat.ms_branch_pages + stat.ms_leaf_pages +
                                         stat.ms_overflow_pages);
    }
    return pages * page_bytes_;
  }

  // The oldest go until no more than three quarters are used; twice as many as are written at most,
  // since every page that loses one is copied, and those copies must fit into the last quarter.
  bool make_room(MDB_txn* transaction) {
    const std::int64_t room = max_bytes_ / 4 * 3;
    MDB_cursor* cursor = nullptr;
    if (used_bytes(transaction) <= room) return true;
    if (mdb_cursor_open(transaction, ages_, &cursor) != 0) return false;
    bool possible = true;
    for (std::size_t i = 0; possible && i < 2 * kBatch && used_bytes(transaction) > room; ++i) {
      MDB_val age{}, name{};
      if (mdb_cursor_get(cursor, &age, &name, MDB_FIRST) != 0) break;
      Key key{};
      std::memcpy(key.data(), name.mv_data, std::min(name.mv_size, sizeof key));
      possible = mdb_cursor_del(cursor, 0) == 0;
      MDB_val vector_name = value_of(key.data(), sizeof key);
      const int status = mdb_del(transaction, vectors_, &vector_name, nullptr);
      possible = possible && (status == 0 || status == MDB_NOTFOUND);
    }
    mdb_cursor_close(cursor);
    return possible;
  }

  // They stay in the system's cache of files, but do not count as this process's memory.
  void let_pages_go() const {
    if (map_ != nullptr) ::madvise(map_, map_bytes_, MADV_DONTNEED);
  }

  const std::string directory_, path_;
  const std::int64_t max_bytes_;
  std::int64_t page_bytes_ = 4096;
  MDB_env* environment_ = nullptr;
  MDB_dbi vectors_ = 0, ages_ = 0;
  void* map_ = nullptr;
  std::size_t map_bytes_ = 0;
  std::atomic<std::uint64_t> lookups_{0};
  std::mutex mutex_;
  std::vector<Entry> held_back_;     // guarded by mutex_, as all that follow
  std::size_t held_back_bytes_ = 0;  // writes to the environment happen under mutex_ too
};
}  // namespace

Hash128 vector_recipe(const embed::EmbedderFacts& facts, const std::string& preparation) {
  Fingerprint fingerprint;
  fingerprint.add_field(facts.provider)
      .add_field(facts.model_fingerprint)
      .add_field(facts.processor_fingerprint)
      .add_field(facts.pooling)
      .add_field(tensor::to_string(facts.precision))
      .add_field(std::to_string(facts.dimension))
      .add_field(preparation);
  return fingerprint.digest();
}

class VectorStore::Impl {
 public:
  Impl(const VectorStoreOptions& options, const Hash128& recipe)
      : environment_(Environment::open_shared(options)), recipe_(recipe) {}
  Environment& environment() { return *environment_; }
  Key key_of(const Hash128& content) const {
    return {recipe_.high, recipe_.low, content.high, content.low};
  }

 private:
  const std::shared_ptr<Environment> environment_;
  const Hash128 recipe_;
};

VectorStore::VectorStore(const VectorStoreOptions& options, const Hash128& recipe)
    : impl_(std::make_unique<Impl>(options, recipe)) {}
VectorStore::~VectorStore() { flush(); }

bool VectorStore::find(const Hash128& content, std::span<float> vector) {
  return impl_->environment().find(impl_->key_of(content), vector);
}
void VectorStore::store(const Hash128& content, std::span<const float> vector) {
  impl_->environment().store(impl_->key_of(content), vector);
}
void VectorStore::flush() { impl_->environment().flush(); }

}  // namespace vecframe::job
