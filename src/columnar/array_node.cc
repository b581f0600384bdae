#include "columnar/array_node.h"

#include <memory>
#include <utility>

namespace vecframe::columnar {
namespace {

// Owns the memory of one node; the structs of its children live here.
struct Exported {
  std::vector<GrowingBuffer> memory;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ~Exported() {
    for (ArrowArray& child : children) {
      if (child.release != nullptr) child.release(&child);
    }
  }
};

void release(ArrowArray* array) {
  if (array->release == nullptr) return;
  delete static_cast<Exported*>(array->private_data);
  array->release = nullptr;
}

}  // namespace

ArrowArray array_node(std::vector<GrowingBuffer> memory, std::int64_t length,
                      std::int64_t null_count, std::vector<ArrowArray> children) {
  auto exported = std::make_unique<Exported>();
  exported->memory = std::move(memory);
  for (const GrowingBuffer& buffer : exported->memory) exported->buffers.push_back(buffer.data());
  exported->children = std::move(children);
  for (ArrowArray& child : exported->children) exported->pointers.push_back(&child);
  ArrowArray out{};
  out.length = length;
  out.null_count = null_count;
  out.n_buffers = static_cast<std::int64_t>(exported->buffers.size());
  out.buffers = exported->buffers.data();
  out.n_children = static_cast<std::int64_t>(exported->children.size());
  out.children = exported->pointers.empty() ? nullptr : exported->pointers.data();
  out.release = &release;
  out.private_data = exported.release();
  return out;
}

std::vector<GrowingBuffer> array_buffers(GrowingBuffer validity, GrowingBuffer values) {
  values.reserve(1);
  std::vector<GrowingBuffer> both;
  both.push_back(std::move(validity));
  both.push_back(std::move(values));
  return both;
}

}  // namespace vecframe::columnar
