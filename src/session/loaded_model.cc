#include <vecframe/error.h>
#include <vecframe/loaded_model.h>
#include <vecframe/session.h>

#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "base/core_share.h"
#include "base/result.h"
#include "embed/embedder.h"
#include "embed/text_embedder.h"
#include "exec/embed_batch.h"
#include "exec/prepare_row.h"
#include "exec/processors.h"
#include "exec/vector_form.h"
#include "image/prepare.h"
#include "image/probe.h"
#include "session/engine.h"
#include "session/local_models.h"
#include "session/provider_options.h"
#include "session/resolution.h"

namespace vecframe {
namespace {

[[noreturn]] void fail(const RowError& error) { throw RequestError(error.to_string()); }

template <class T>
T value_or_fail(Result<T> result) {
  if (!result.ok()) fail(result.error());
  return std::move(result).value();
}

// The words of embed_image() that a tower of texts has too.
EmbedTextOptions for_texts(const EmbedImageOptions& options) {
  EmbedTextOptions texts;
  static_cast<EmbedOptions&>(texts) = options;
  return texts;
}

}  // namespace

struct LoadedModel::State {
  std::string provider;
  std::optional<std::string> model;
  EmbedImageOptions options;
  int threads = 1;
  exec::VectorForm form;
  std::int64_t dimension = 0;  // of the model; written by the constructor alone

  std::mutex mutex;                                 // of all that follows
  std::unique_ptr<embed::EmbedLane> picture_lane;   // null: not asked for yet
  image::PrepareSpec prepare;                       // does not change once there is a lane
  std::unique_ptr<embed::TextEmbedLane> text_lane;  // null: not asked for yet

  std::vector<float> kept(const std::vector<float>& vector) const {
    std::vector<float> values(static_cast<std::size_t>(form.kept(dimension)));
    if (const auto error = exec::keep_vector(vector, form, values)) fail(*error);
    return values;
  }

  // Both return the length of the model's vectors.
  std::int64_t load_pictures(const DownloadOptions& download) {
    const auto descriptor =
        session::Engine::instance().describe(provider, model, options, download);
    prepare = descriptor->prepare_spec();
    picture_lane = descriptor->instantiate()->make_lane();
    picture_lane->share_cores(CoreShare::alone(threads));
    return descriptor->facts().dimension;
  }

  std::int64_t load_texts(const DownloadOptions& download) {
    const auto descriptor =
        session::Engine::instance().describe_text(provider, model, for_texts(options), download);
    text_lane = descriptor->instantiate()->make_lane();
    text_lane->share_cores(CoreShare::alone(threads));
    return descriptor->facts().dimension;
  }

  // Pictures' tower, or, of a model that has none, that of texts.
  std::int64_t load_first(const DownloadOptions& download) {
    try {
      return load_pictures(download);
    } catch (const RequestError&) {
      const std::exception_ptr problem = std::current_exception();
      try {
        return load_texts(download);
      } catch (const RequestError&) {
        std::rethrow_exception(problem);
      }
    }
  }
};

LoadedModel::LoadedModel(const EmbedImageOptions& given, int threads,
                         const DownloadOptions& download)
    : state_(std::make_shared<State>()) {
  if (threads < 0)
    throw RequestError("threads: " + std::to_string(threads) +
                       " is negative; give 0 for one a processor");
  const session::Resolution resolved = session::resolve(*Session::current().table(), given);
  const session::LocalModels* local = session::as_local(*resolved.provider);
  if (local == nullptr)
    throw RequestError("provider: '" + resolved.provider->name() +
                       "' runs elsewhere and has nothing to load; give 'transformers' or "
                       "'builtin'");
  session::check_options("load_model", *resolved.provider, given.options);
  State& state = *state_;
  state.options = given;
  session::take_local_options(local->defaults(), state.options);
  state.provider = resolved.provider->name();
  state.model = resolved.model;
  state.threads = threads == 0 ? exec::usable_processors() : threads;
  state.dimension = state.load_first(download);
  if (given.dimensions && (*given.dimensions < 1 || *given.dimensions > state.dimension))
    throw RequestError("dimensions: " + std::to_string(*given.dimensions) +
                       " is out of range; the vectors have " + std::to_string(state.dimension) +
                       " values");
  state.form = {given.dimensions, given.normalize};
}

LoadedModel::~LoadedModel() = default;
LoadedModel::LoadedModel(const LoadedModel&) = default;
LoadedModel& LoadedModel::operator=(const LoadedModel&) = default;

std::int64_t LoadedModel::dimension() const { return state_->form.kept(state_->dimension); }

std::vector<float> LoadedModel::embed_image(std::span<const std::byte> encoded) const {
  State& state = *state_;
  const image::ImageInfo info = value_or_fail(image::probe(encoded));
  {
    const std::lock_guard lock(state.mutex);
    if (!state.picture_lane) state.load_pictures({});
  }
  // Beside the lock: pictures of several threads are prepared at a time.
  std::vector<std::uint8_t> slot(state.prepare.slot_bytes());
  if (const Status status =
          exec::prepare_row(encoded, info, state.prepare, /*apply_orientation=*/true, slot);
      !status)
    fail(status.error());
  std::vector<float> vector(static_cast<std::size_t>(state.dimension));
  const std::lock_guard lock(state.mutex);
  state.picture_lane->embed(slot.data(), 1, vector.data());
  return state.kept(vector);
}

std::vector<float> LoadedModel::embed_text(std::string_view text) const {
  State& state = *state_;
  std::vector<float> vector(static_cast<std::size_t>(state.dimension));
  const std::lock_guard lock(state.mutex);
  if (!state.text_lane) state.load_texts({});
  state.text_lane->embed({&text, 1}, vector.data());
  return state.kept(vector);
}

}  // namespace vecframe
