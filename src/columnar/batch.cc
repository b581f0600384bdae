#include "columnar/batch.h"

#include <cerrno>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

namespace vecframe::columnar {
namespace {

// The struct array's own memory; its columns are children and own theirs.
struct ExportedBatch {
  const void* buffers[1] = {nullptr};
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ~ExportedBatch() {
    for (ArrowArray& child : children) {
      if (child.release != nullptr) child.release(&child);
    }
  }
};

void release_batch(ArrowArray* array) {
  if (array->release == nullptr) return;
  delete static_cast<ExportedBatch*>(array->private_data);
  array->release = nullptr;
}

struct ExportedStream {
  std::shared_ptr<const Schema> schema;
  std::vector<Batch> batches;
  std::size_t next = 0;
  std::string error;
};

// Runs `action`, which may throw, for a caller that takes an errno.
template <class Action>
int as_errno(ExportedStream& stream, Action action) {
  try {
    action();
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (const std::exception& error) {
    stream.error = error.what();
    return EINVAL;
  }
}

int get_schema(ArrowArrayStream* self, ArrowSchema* out) {
  auto& stream = *static_cast<ExportedStream*>(self->private_data);
  return as_errno(stream, [&] { export_schema(*stream.schema, out); });
}

int get_next(ArrowArrayStream* self, ArrowArray* out) {
  auto& stream = *static_cast<ExportedStream*>(self->private_data);
  *out = {};  // a released array: the end of the stream
  if (stream.next < stream.batches.size()) *out = stream.batches[stream.next++].release_array();
  return 0;
}

const char* get_last_error(ArrowArrayStream* self) {
  const auto& stream = *static_cast<ExportedStream*>(self->private_data);
  return stream.error.empty() ? nullptr : stream.error.c_str();
}

void release_stream(ArrowArrayStream* self) {
  if (self->release == nullptr) return;
  delete static_cast<ExportedStream*>(self->private_data);
  self->release = nullptr;
}

}  // namespace

Batch::Batch(std::shared_ptr<const Schema> schema, std::vector<ColumnBuilder>& columns)
    : schema_(std::move(schema)) {
  if (columns.size() != schema_->fields.size()) {
    throw std::logic_error("a batch needs one column for each field");
  }
  const std::int64_t length = columns.empty() ? 0 : columns.front().length();
  for (const ColumnBuilder& column : columns) {
    if (column.length() != length) throw std::logic_error("columns of different lengths");
  }
  auto exported = std::make_unique<ExportedBatch>();
  exported->children.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].finish(&exported->children[i]);
    exported->pointers.push_back(&exported->children[i]);
  }
  array_.length = length;
  array_.n_buffers = 1;
  array_.n_children = static_cast<std::int64_t>(columns.size());
  array_.buffers = exported->buffers;
  array_.children = exported->pointers.data();
  array_.release = &release_batch;
  array_.private_data = exported.release();
}

Batch::Batch(Batch&& other) noexcept
    : schema_(std::move(other.schema_)), array_(other.release_array()) {}

Batch& Batch::operator=(Batch&& other) noexcept {
  if (this != &other) {
    reset();
    schema_ = std::move(other.schema_);
    array_ = other.release_array();
  }
  return *this;
}

ArrowArray Batch::release_array() { return std::exchange(array_, ArrowArray{}); }

void Batch::reset() {
  if (array_.release != nullptr) array_.release(&array_);
}

void export_stream(std::shared_ptr<const Schema> schema, std::vector<Batch> batches,
                   ArrowArrayStream* out) {
  auto stream = std::make_unique<ExportedStream>();
  stream->schema = std::move(schema);
  stream->batches = std::move(batches);
  *out = {};
  out->get_schema = &get_schema;
  out->get_next = &get_next;
  out->get_last_error = &get_last_error;
  out->release = &release_stream;
  out->private_data = stream.release();
}

}  // namespace vecframe::columnar
