// A model on a server as an embedder of pictures or texts.
#pragma once

#include <vecframe/provider.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "providers/remote/batch_sender.h"
#include "providers/remote/endpoint.h"
#include "providers/remote/picture_url.h"

namespace vecframe::providers {

/// All that an embedder is made of. The key is a secret, which nothing else here holds.
struct RemoteModel {
  Endpoint endpoint;
  std::string key;
  SendRules send;
  PictureEncoding encoding;
};

/// `Input` is Picture or std::string_view.
template <class Input>
class RemoteEmbedder final : public AsyncEmbedder<Input> {
 public:
  using Completion = typename AsyncEmbedder<Input>::Completion;

  RemoteEmbedder(const RemoteModel& model, std::shared_ptr<const CancellationToken> stop);
  void submit(std::span<const Input> rows, Completion completion) override;

 private:
  const ItemShape& shape_;
  const PictureEncoding encoding_;
  BatchSender sender_;
};

template <class Input>
class RemoteDescriptor final : public EmbedderDescriptor<Input> {
 public:
  explicit RemoteDescriptor(RemoteModel model);
  const EmbedderIdentity& identity() const override { return identity_; }
  const CallRules& rules() const override { return rules_; }
  AnyEmbedder<Input> instantiate(const StopSource& stop) const override;

 private:
  const RemoteModel model_;
  EmbedderIdentity identity_;
  CallRules rules_;
};

extern template class RemoteEmbedder<Picture>;
extern template class RemoteEmbedder<std::string_view>;
extern template class RemoteDescriptor<Picture>;
extern template class RemoteDescriptor<std::string_view>;

/// The length of the vectors that the server makes of rows of this kind, by one small request.
/// Throws RequestError that names the address, the model and what to do.
template <class Input>
std::int64_t ask_dimension(const RemoteModel& model);

}  // namespace vecframe::providers
