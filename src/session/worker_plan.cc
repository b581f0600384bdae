// Plans as the workers of a run get them.

#include <vecframe/error.h>
#include <vecframe/jobs.h>

#include <map>
#include <utility>
#include <variant>

#include "plan/bind_embedders.h"
#include "plan/change_calls.h"
#include "session/provider_call.h"
#include "session/run_steps.h"

namespace vecframe {
namespace {

plan::PlanPointer bound_plan(const DataFrame& frame) {
  return plan::bind_embedders(frame.plan(), session::find_embedder, session::relational_source());
}

const exec::RowDescriptor* descriptor_of(const plan::EmbedCall& call) {
  const auto* embedder = dynamic_cast<const session::ProviderEmbedder*>(call.handle.get());
  return embedder == nullptr ? nullptr : &embedder->descriptor();
}

EmbedderUse use_of(const plan::EmbedCall& call) {
  EmbedderUse use;
  use.provider = call.provider;
  use.model = call.model;
  use.of_texts = call.function == plan::EmbedFunction::kText;
  use.device = call.device;
  use.concurrency = call.concurrency;
  use.num_gpus = call.num_gpus;
  const exec::RowDescriptor* descriptor = descriptor_of(call);
  use.is_local = descriptor == nullptr;
  if (use.is_local) return use;
  const CallRules& rules = exec::rules_of(*descriptor);
  use.is_async = rules.is_async;
  if (!use.concurrency) use.concurrency = rules.concurrency;
  if (!use.num_gpus && rules.num_gpus > 0) use.num_gpus = rules.num_gpus;
  if (const auto* pictures = std::get_if<std::shared_ptr<const PictureDescriptor>>(descriptor))
    use.pictures = *pictures;
  if (const auto* texts = std::get_if<std::shared_ptr<const TextDescriptor>>(descriptor))
    use.texts = *texts;
  return use;
}

// Embedders that came along. Uses of one descriptor share a handle, so that equal calls stay equal.
class Handles {
 public:
  /// Null for one that is found by its name.
  std::shared_ptr<const plan::EmbedderHandle> of(const EmbedderUse& use) {
    if (!use.of_texts && use.pictures) return of(use.pictures);
    if (use.of_texts && use.texts) return of(use.texts);
    return nullptr;
  }

 private:
  template <class Descriptor>
  std::shared_ptr<const plan::EmbedderHandle> of(const Descriptor& descriptor) {
    auto& handle = handles_[descriptor.get()];
    if (!handle) handle = std::make_shared<session::ProviderEmbedder>(descriptor);
    return handle;
  }

  std::map<const void*, std::shared_ptr<const plan::EmbedderHandle>> handles_;
};

[[noreturn]] void refuse_uses() {
  throw RequestError("for_worker: the embedders are not those of this plan");
}

}  // namespace

std::vector<EmbedderUse> embedders_of(const DataFrame& frame) {
  std::vector<EmbedderUse> uses;
  plan::change_calls(
      bound_plan(frame),
      [&](const plan::EmbedCall& call) -> std::optional<plan::EmbedCall> {
        uses.push_back(use_of(call));
        return std::nullopt;
      },
      session::relational_source());
  return uses;
}

DataFrame for_worker(const DataFrame& frame, const std::vector<EmbedderUse>& uses) {
  Handles handles;
  std::size_t next = 0;
  const auto change = [&](const plan::EmbedCall& call) -> std::optional<plan::EmbedCall> {
    if (next == uses.size()) refuse_uses();
    const EmbedderUse& use = uses[next++];
    const bool of_texts = call.function == plan::EmbedFunction::kText;
    if (use.provider != call.provider || use.model != call.model || use.of_texts != of_texts)
      refuse_uses();
    plan::EmbedCall own = call;
    if (auto handle = handles.of(use)) own.handle = std::move(handle);
    if (!use.is_async)
      own.concurrency = use.is_local ? std::nullopt : std::optional<std::int64_t>(1);
    return own;
  };
  plan::PlanPointer own = plan::change_calls(frame.plan(), change, session::relational_source());
  if (next != uses.size()) refuse_uses();
  return DataFrame(std::move(own));
}

}  // namespace vecframe
