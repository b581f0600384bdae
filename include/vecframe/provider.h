// Providers: who makes vectors of pictures and texts, beside the models that this library runs
// itself. Servers are providers, and so is what a program brings along.
//
// A provider makes descriptors, which know what a plan needs, and a descriptor makes the embedder
// when a run starts. A wrong request is a RequestError when the descriptor is made; what is wrong
// with a row is RowVector::error; see SyncEmbedder for what an embedder throws. Nothing that a
// provider gives out may hold a secret, except where it says so: plans, reports and files keep it.
//
// The executor forms the batches, never empty and without null rows. It halves a batch that failed
// until the rows at fault stand alone, and tries again after transient failures. It checks the
// vectors: a wrong number of them, a wrong length, NaN and infinities are errors of their rows.
#pragma once

#include <vecframe/export.h>
#include <vecframe/run.h>
#include <vecframe/value.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vecframe {

/// A decoded picture: rows from the top, 8 bits a sample, channels interleaved, no padding. The
/// pixels live as long as a copy of `owner`, after the call too.
struct Picture {
  std::uint32_t width = 0, height = 0;
  int channels = 3;  ///< 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA
  std::span<const std::uint8_t> pixels;
  std::shared_ptr<const void> owner;
};

/// The vector of one row, or why it has none.
struct RowVector {
  std::vector<float> values;
  std::string error;  ///< for users; not empty: the row failed
};

/// The same batch may do later: a connection, a time-out, a busy server.
class VECFRAME_API TransientError : public std::runtime_error {
 public:
  /// `retry_after`: not before.
  explicit TransientError(const std::string& message,
                          std::optional<std::chrono::milliseconds> retry_after = {})
      : std::runtime_error(message), retry_after_(retry_after) {}
  std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }

 private:
  std::optional<std::chrono::milliseconds> retry_after_;
};

/// Computes on the thread that calls. `Input` is Picture, or std::string_view of UTF-8.
template <class Input>
class SyncEmbedder {
 public:
  virtual ~SyncEmbedder() = default;
  /// One answer for each row, in their order. Throws TransientError if the batch may do later,
  /// RunError if no batch will do, such as after refused credentials: the run ends. Any other
  /// std::exception may be the fault of one row: smaller batches are tried. Called by one thread at
  /// a time.
  virtual std::vector<RowVector> embed(std::span<const Input> rows) = 0;
};

/// Has others compute, such as servers, and waits for none of them.
template <class Input>
class AsyncEmbedder {
 public:
  /// The answers, or what SyncEmbedder::embed() would have thrown.
  using Result = std::variant<std::vector<RowVector>, std::exception_ptr>;
  using Completion = std::function<void(Result)>;

  /// Called when no request is in flight.
  virtual ~AsyncEmbedder() = default;
  /// Begins a request and returns at once. The rows stay as they are until `completion` is called:
  /// exactly once, from any thread, also from within this call. Called by one thread at a time,
  /// with at most CallRules::concurrency requests in flight. Once the run was asked to stop, every
  /// completion comes soon, with any result.
  virtual void submit(std::span<const Input> rows, Completion completion) = 0;
};

template <class Input>
using AnyEmbedder =
    std::variant<std::unique_ptr<SyncEmbedder<Input>>, std::unique_ptr<AsyncEmbedder<Input>>>;

/// How an embedder is called, where the user's options do not say.
struct CallRules {
  bool is_async = false;
  /// Rows of a call; else 16 pictures or 64 texts.
  std::optional<std::int64_t> batch_size = std::nullopt;
  /// Sync: embedders side by side, each of which has its calls one after the other; else 1. Async:
  /// requests in flight; else 16.
  std::optional<std::int64_t> concurrency = std::nullopt;
  /// After transient failures of a batch; 0 for an embedder that tries again by itself.
  std::int64_t max_retries = 3;
  /// For each sync embedder; a fraction shares a device.
  double num_gpus = 0;
};

/// What a plan, a report and the files of a run keep of an embedder. No secrets.
struct EmbedderIdentity {
  std::string provider;
  std::string model;
  std::int64_t dimension = 0;  ///< of the vectors that the embedder makes
  /// Changes when the vectors do, as far as the provider knows; may be empty.
  std::string fingerprint;
  /// Whatever else is worth keeping, such as the address of a server.
  std::map<std::string, std::string> details;
};

/// Thread-safe.
template <class Input>
class EmbedderDescriptor {
 public:
  virtual ~EmbedderDescriptor() = default;
  virtual const EmbedderIdentity& identity() const = 0;
  virtual const CallRules& rules() const = 0;
  /// Makes an embedder of the kind that rules() names: each sync one on the thread that will call
  /// it, one after the other; a single async one for a run. `stop` tells when the run is asked to
  /// stop. What this throws ends the run.
  virtual AnyEmbedder<Input> instantiate(const StopSource& stop) const = 0;
};

using PictureDescriptor = EmbedderDescriptor<Picture>;
using TextDescriptor = EmbedderDescriptor<std::string_view>;

/// An option of a provider, beside those of every call: model, dimensions, normalize, dtype,
/// batch_size, concurrency, max_retries, num_gpus, on_error, error_column.
struct OptionSpec {
  enum class Type : std::uint8_t { kText, kInteger, kNumber, kFlag };
  std::string name;
  Type type = Type::kText;
  std::vector<std::string> choices;          ///< of kText; empty: any
  std::optional<double> minimum, maximum;    ///< of kInteger and kNumber
  bool secret = false;                       ///< never shown and never kept
  bool of_pictures = true, of_texts = true;  ///< whether embed_image(), embed_text() have it
};

using OptionValues = std::map<std::string, Value>;

/// What one call asks of a provider. Its options are among those of Provider::options(), and of
/// their types, unless the provider takes others.
struct EmbedRequest {
  std::optional<std::string> model;        ///< else the provider's default
  std::optional<std::int64_t> dimensions;  ///< length of the vectors that the user wants
  OptionValues options;
  /// As the user gave them, for an embedder that repeats requests itself, or makes more of them.
  std::optional<std::int64_t> concurrency, max_retries;
};

/// Thread-safe.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string name() const = 0;
  virtual std::vector<OptionSpec> options() const { return {}; }
  /// Whether options that are not among options() are its own business; they are never shown.
  virtual bool takes_other_options() const { return false; }
  /// Null if the provider embeds no pictures. Throws RequestError. Of vectors longer than
  /// `dimensions` the executor keeps the beginning.
  virtual std::shared_ptr<const PictureDescriptor> describe_pictures(
      const EmbedRequest& /*request*/) const {
    return nullptr;
  }
  /// Null if the provider embeds no texts.
  virtual std::shared_ptr<const TextDescriptor> describe_texts(
      const EmbedRequest& /*request*/) const {
    return nullptr;
  }
};

}  // namespace vecframe
