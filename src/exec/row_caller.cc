#include "exec/row_caller.h"

#include <vecframe/error.h>

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vecframe::exec {
namespace {

template <class Input>
std::span<const Input> inputs_of(const RowBatch& batch);
template <>
std::span<const Picture> inputs_of<Picture>(const RowBatch& batch) {
  return batch.pictures;
}
template <>
std::span<const std::string_view> inputs_of<std::string_view>(const RowBatch& batch) {
  return batch.texts;
}

template <class Input>
class SyncCaller final : public RowCaller {
 public:
  explicit SyncCaller(std::unique_ptr<SyncEmbedder<Input>> embedder)
      : embedder_(std::move(embedder)) {}

  void call(const RowBatch& batch, Answer answer) override {
    BatchAnswer result;
    try {
      result = embedder_->embed(inputs_of<Input>(batch));
    } catch (...) {
      result = std::current_exception();
    }
    answer(std::move(result));
  }

 private:
  std::unique_ptr<SyncEmbedder<Input>> embedder_;
};

template <class Input>
class AsyncCaller final : public RowCaller {
 public:
  explicit AsyncCaller(std::unique_ptr<AsyncEmbedder<Input>> embedder)
      : embedder_(std::move(embedder)) {}

  void call(const RowBatch& batch, Answer answer) override {
    try {
      embedder_->submit(inputs_of<Input>(batch), answer);
    } catch (...) {
      // Nothing was begun, so nothing will complete it.
      answer(std::current_exception());
    }
  }

 private:
  std::unique_ptr<AsyncEmbedder<Input>> embedder_;
};

template <class Input>
std::unique_ptr<RowCaller> caller_of(AnyEmbedder<Input> embedder) {
  if (auto* sync = std::get_if<std::unique_ptr<SyncEmbedder<Input>>>(&embedder))
    return std::make_unique<SyncCaller<Input>>(std::move(*sync));
  return std::make_unique<AsyncCaller<Input>>(
      std::move(std::get<std::unique_ptr<AsyncEmbedder<Input>>>(embedder)));
}

}  // namespace

const EmbedderIdentity& identity_of(const RowDescriptor& descriptor) {
  return std::visit([](const auto& held) -> const EmbedderIdentity& { return held->identity(); },
                    descriptor);
}

const CallRules& rules_of(const RowDescriptor& descriptor) {
  return std::visit([](const auto& held) -> const CallRules& { return held->rules(); }, descriptor);
}

std::unique_ptr<RowCaller> make_caller(const RowDescriptor& descriptor, const StopSource& stop) {
  try {
    return std::visit([&](const auto& held) { return caller_of(held->instantiate(stop)); },
                      descriptor);
  } catch (const RequestError&) {
    throw;
  } catch (const RunError&) {
    throw;
  } catch (const std::exception& error) {
    throw RunError("provider '" + identity_of(descriptor).provider +
                   "': cannot make the embedder: " + error.what());
  }
}

}  // namespace vecframe::exec
