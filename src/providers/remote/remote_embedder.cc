#include "providers/remote/remote_embedder.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/fingerprint.h"

namespace vecframe::providers {
namespace {

constexpr std::int64_t kBatchSize = 32;  // of pictures some 10 MB, and the most that Infinity takes

template <class Input>
constexpr bool is_picture = std::is_same_v<Input, Picture>;

template <class Input>
const ItemShape& shape_of(const Endpoint& endpoint) {
  return is_picture<Input> ? endpoint.format->picture : endpoint.format->text;
}

Result<std::string> row_text(const Picture& picture, const PictureEncoding& encoding) {
  return picture_url(picture, encoding);
}

Result<std::string> row_text(std::string_view text, const PictureEncoding&) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    return RowError{Stage::kPrepare, ErrorCode::kCorrupt, "the text is not UTF-8"};
  }
}

}  // namespace

template <class Input>
RemoteEmbedder<Input>::RemoteEmbedder(const RemoteModel& model,
                                      std::shared_ptr<const CancellationToken> stop)
    : shape_(shape_of<Input>(model.endpoint)),
      encoding_(model.encoding),
      sender_(model.endpoint, model.key, model.send, std::move(stop)) {}

template <class Input>
void RemoteEmbedder<Input>::submit(std::span<const Input> rows, Completion completion) {
  // The rows stay where they are until the completion is called.
  sender_.submit(
      rows.size(), shape_,
      [rows, encoding = encoding_](std::size_t row) { return row_text(rows[row], encoding); },
      std::move(completion));
}

template <class Input>
RemoteDescriptor<Input>::RemoteDescriptor(RemoteModel model) : model_(std::move(model)) {
  const Endpoint& endpoint = model_.endpoint;
  identity_.provider = endpoint.provider;
  identity_.model = endpoint.model;
  identity_.dimension = endpoint.dimension;
  identity_.details["base_url"] = endpoint.base_url;
  identity_.details["api"] = endpoint.format->id;
  std::string encoding;
  if (is_picture<Input>) {
    encoding = image::to_string(model_.encoding.format);
    if (model_.encoding.format != image::Format::kPng)
      encoding += fmt::format(" {}", model_.encoding.quality);
    identity_.details["image_format"] = encoding;
  }
  Fingerprint fingerprint;
  for (const std::string& field :
       {endpoint.provider, endpoint.base_url, std::string(endpoint.format->id), endpoint.model,
        fmt::format("{}", endpoint.dimension), encoding})
    fingerprint.add_field(field);
  identity_.fingerprint = fingerprint.hex();
  rules_.is_async = true;
  rules_.batch_size = kBatchSize;
  rules_.concurrency = model_.send.concurrency;
  rules_.max_retries = 0;  // the sender's business
}

template <class Input>
AnyEmbedder<Input> RemoteDescriptor<Input>::instantiate(const StopSource& stop) const {
  return std::unique_ptr<AsyncEmbedder<Input>>(std::make_unique<RemoteEmbedder<Input>>(
      model_, std::static_pointer_cast<const CancellationToken>(stop.state())));
}

template <class Input>
std::int64_t ask_dimension(const RemoteModel& model) {
  constexpr std::uint32_t kSide = 32;
  const std::vector<std::uint8_t> gray(std::size_t{kSide} * kSide * 3, 128);
  Input row;
  if constexpr (is_picture<Input>) {
    row = {.width = kSide, .height = kSide, .channels = 3, .pixels = gray, .owner = nullptr};
  } else {
    row = "dimension";
  }
  BatchSender sender(model.endpoint, model.key, model.send,
                     std::make_shared<const CancellationToken>());
  std::promise<SendQueue::BatchResult> promise;
  sender.submit(
      1, shape_of<Input>(model.endpoint),
      [&](std::size_t) { return row_text(row, model.encoding); },
      [&](SendQueue::BatchResult result) { promise.set_value(std::move(result)); });
  const SendQueue::BatchResult result = promise.get_future().get();
  std::string why;
  try {
    if (const auto* failure = std::get_if<std::exception_ptr>(&result))
      std::rethrow_exception(*failure);
    const RowVector& vector = std::get<std::vector<RowVector>>(result).front();
    if (vector.error.empty()) return static_cast<std::int64_t>(vector.values.size());
    why = vector.error;
  } catch (const RunError& error) {
    why = error.what();
  }
  throw RequestError(fmt::format(
      "base_url: {} gave no vector of model='{}' when it was asked how long they are: {}; see that "
      "the server runs, or give dimensions=",
      model.endpoint.base_url, model.endpoint.model, why));
}

template class RemoteEmbedder<Picture>;
template class RemoteEmbedder<std::string_view>;
template class RemoteDescriptor<Picture>;
template class RemoteDescriptor<std::string_view>;
template std::int64_t ask_dimension<Picture>(const RemoteModel&);
template std::int64_t ask_dimension<std::string_view>(const RemoteModel&);

}  // namespace vecframe::providers
