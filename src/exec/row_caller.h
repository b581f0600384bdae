// Calls embedders of providers, of pictures or of texts, sync or async, in one way.
#pragma once

#include <vecframe/provider.h>
#include <vecframe/run.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <variant>

#include "exec/row_batch.h"

namespace vecframe::exec {

using RowDescriptor =
    std::variant<std::shared_ptr<const PictureDescriptor>, std::shared_ptr<const TextDescriptor>>;

const EmbedderIdentity& identity_of(const RowDescriptor& descriptor);
const CallRules& rules_of(const RowDescriptor& descriptor);

/// One embedder.
class RowCaller {
 public:
  using Answer = std::function<void(BatchAnswer)>;

  virtual ~RowCaller() = default;
  /// Calls `answer` once: before it returns, if the embedder is sync, else from any thread. The
  /// batch stays where it is until then. Never throws.
  virtual void call(const RowBatch& batch, Answer answer) = 0;
};

/// Makes an embedder, on the thread that will call it. Throws RequestError, RunError.
std::unique_ptr<RowCaller> make_caller(const RowDescriptor& descriptor, const StopSource& stop);

}  // namespace vecframe::exec
