// The public stream of rows, and its form in the Arrow C Data interface.

#include <vecframe/dataframe.h>
#include <vecframe/error.h>

#include <cerrno>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "columnar/morsel.h"
#include "session/row_source.h"
#include "session/run_plan.h"

namespace vecframe {

RowStream::RowStream(std::unique_ptr<session::RowSource> source)
    : schema_(source->schema()), source_(std::move(source)) {}
RowStream::RowStream(RowStream&&) noexcept = default;
RowStream& RowStream::operator=(RowStream&&) noexcept = default;
RowStream::~RowStream() = default;

void RowStream::schema(ArrowSchema* out) const { columnar::export_schema(*schema_, out); }

bool RowStream::next(ArrowArray* out) {
  *out = {};
  while (source_) {
    std::optional<columnar::Batch> batch;
    try {
      batch = source_->next();
    } catch (...) {
      source_.reset();
      throw;
    }
    if (!batch) source_.reset();
    if (!batch || batch->num_rows() == 0) continue;
    *out = batch->release_array();
    return true;
  }
  return false;
}

void RowStream::close() { source_.reset(); }

namespace {

struct ExportedStream {
  RowStream stream;
  std::string error;
};

// Runs `action`, which may throw, for a caller that takes an errno.
template <class Action>
int as_errno(ArrowArrayStream* self, Action action) {
  auto& exported = *static_cast<ExportedStream*>(self->private_data);
  try {
    action(exported.stream);
    return 0;
  } catch (const Cancelled&) {
    exported.error = "the run was stopped";
    return ECANCELED;
  } catch (const RequestError& error) {
    exported.error = error.what();
    return EINVAL;
  } catch (const std::bad_alloc&) {
    exported.error = "the operating system refused the memory for the next rows";
    return ENOMEM;
  } catch (const std::exception& error) {
    exported.error = error.what();
    return EIO;
  }
}

}  // namespace

void RowStream::release_into(ArrowArrayStream* out) {
  auto exported = std::make_unique<ExportedStream>(ExportedStream{std::move(*this), {}});
  *out = {};
  out->get_schema = [](ArrowArrayStream* self, ArrowSchema* schema) {
    return as_errno(self, [&](RowStream& stream) { stream.schema(schema); });
  };
  out->get_next = [](ArrowArrayStream* self, ArrowArray* array) {
    return as_errno(self, [&](RowStream& stream) { stream.next(array); });
  };
  out->get_last_error = [](ArrowArrayStream* self) -> const char* {
    const auto& error = static_cast<ExportedStream*>(self->private_data)->error;
    return error.empty() ? nullptr : error.c_str();
  };
  out->release = [](ArrowArrayStream* self) {
    if (self->release == nullptr) return;
    delete static_cast<ExportedStream*>(self->private_data);
    self->release = nullptr;
  };
  out->private_data = exported.release();
}

RowStream DataFrame::stream(const RunOptions& options) const {
  return RowStream(session::stream_plan(*plan_, options));
}

void DataFrame::stream(ArrowArrayStream* out, const RunOptions& options) const {
  stream(options).release_into(out);
}

DataFrame DataFrame::collect(const RunOptions& options) const {
  session::CollectedPlan collected = session::collect_plan(*plan_, options);
  plan::FromMemory node;
  node.schema = *collected.schema;
  auto morsels = std::make_shared<std::vector<columnar::Morsel>>();
  for (columnar::Batch& batch : collected.batches)
    morsels->push_back(columnar::morsel_of(batch.release_array()));
  node.morsels = std::move(morsels);
  return DataFrame(plan::from_memory(std::move(node)));
}

}  // namespace vecframe
