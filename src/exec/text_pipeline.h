// From texts to vectors: a source of texts -> embed -> sink.
//
// Each worker thread takes the next few texts from the source, embeds them on its own lane and
// takes the next. Results leave in input order through a bounded window, on the thread that called
// run_texts(). When the source is slow, a worker goes on with what has come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "embed/text_embedder.h"
#include "exec/pipeline.h"
#include "storage/text_source.h"

namespace vecframe::exec {

struct TextStage {
  std::shared_ptr<embed::TextEmbedder> embedder;
  std::int64_t dimension = 0;
};

/// Runs to the end of the source, or of `limit`. Without an `embed` stage rows have no vector.
/// `options` mean what they mean for pictures, as do the callbacks and exceptions of exec::run().
Statistics run_texts(storage::TextSource& source, const std::optional<TextStage>& embed,
                     RowSink& sink, const PipelineOptions& options,
                     const CancellationToken& cancellation, const ProgressCallback& progress = {},
                     const FailureCallback& failure = {});

}  // namespace vecframe::exec
