#include "columnar/morsel.h"

#include <utility>

namespace vecframe::columnar {
namespace {

// Stands for a node of a shared array, so that a receiver may move and release any part of it.
struct Proxy {
  ArrayPointer owner;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ArrowArray dictionary{};
};

void release_proxy(ArrowArray* array) {
  if (array->release == nullptr) return;
  auto* proxy = static_cast<Proxy*>(array->private_data);
  for (ArrowArray& child : proxy->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (proxy->dictionary.release != nullptr) proxy->dictionary.release(&proxy->dictionary);
  delete proxy;
  array->release = nullptr;
}

void export_node(const ArrayPointer& owner, const ArrowArray& node, ArrowArray* out) {
  auto proxy = std::make_unique<Proxy>();
  proxy->owner = owner;
  proxy->children.resize(static_cast<std::size_t>(node.n_children));
  for (ArrowArray& child : proxy->children) proxy->pointers.push_back(&child);
  *out = node;
  out->children = proxy->pointers.empty() ? nullptr : proxy->pointers.data();
  out->dictionary = node.dictionary == nullptr ? nullptr : &proxy->dictionary;
  out->release = &release_proxy;
  Proxy* owned = proxy.release();
  out->private_data = owned;
  for (std::size_t i = 0; i < owned->children.size(); ++i)
    export_node(owner, *node.children[i], &owned->children[i]);
  if (node.dictionary != nullptr) export_node(owner, *node.dictionary, &owned->dictionary);
}

// Of `count` rows of the array. -1, to be counted again, is for arrays that have a bitmap.
std::int64_t null_count_of_window(const ArrowArray& array, std::int64_t count) {
  if (array.n_buffers == 0) return count;  // the type whose values are all null
  return array.null_count == 0 || array.buffers[0] == nullptr ? 0 : -1;
}

ArrayPointer window_of(const ArrayPointer& array, std::int64_t first, std::int64_t count) {
  ArrowArray window;
  export_node(array, *array, &window);
  window.offset += first;
  window.length = count;
  window.null_count = null_count_of_window(*array, count);
  return share(window);
}

struct ExportedMorsel {
  const void* buffers[1] = {nullptr};
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ~ExportedMorsel() {
    for (ArrowArray& child : children) {
      if (child.release != nullptr) child.release(&child);
    }
  }
};

void release_morsel(ArrowArray* array) {
  if (array->release == nullptr) return;
  delete static_cast<ExportedMorsel*>(array->private_data);
  array->release = nullptr;
}

}  // namespace

ArrayPointer share(ArrowArray array) {
  struct Owned {
    ArrowArray array;
    ~Owned() {
      if (array.release != nullptr) array.release(&array);
    }
  };
  auto owned = std::make_shared<Owned>();
  owned->array = array;
  return {owned, &owned->array};
}

ArrayPointer child_of(const ArrayPointer& parent, std::int64_t index) {
  return {parent, parent->children[index]};
}

Morsel morsel_of(ArrowArray array) {
  Morsel morsel;
  const ArrayPointer parent = share(array);
  morsel.num_rows = parent->length;
  for (std::int64_t i = 0; i < parent->n_children; ++i) {
    // The rows of a struct are [offset, offset + length) of its children.
    if (parent->offset == 0 && parent->children[i]->length == parent->length) {
      morsel.columns.push_back(child_of(parent, i));
      continue;
    }
    morsel.columns.push_back(window_of(child_of(parent, i), parent->offset, parent->length));
  }
  return morsel;
}

Morsel slice(const Morsel& morsel, std::int64_t first, std::int64_t count) {
  if (first == 0 && count == morsel.num_rows) return morsel;
  Morsel part;
  part.num_rows = count;
  for (const ArrayPointer& column : morsel.columns)
    part.columns.push_back(window_of(column, first, count));
  return part;
}

void export_morsel(const Morsel& morsel, ArrowArray* out) {
  auto exported = std::make_unique<ExportedMorsel>();
  exported->children.resize(morsel.columns.size());
  for (std::size_t i = 0; i < morsel.columns.size(); ++i) {
    export_node(morsel.columns[i], *morsel.columns[i], &exported->children[i]);
    exported->pointers.push_back(&exported->children[i]);
  }
  *out = {};
  out->length = morsel.num_rows;
  out->n_buffers = 1;
  out->n_children = static_cast<std::int64_t>(morsel.columns.size());
  out->buffers = exported->buffers;
  out->children = exported->pointers.empty() ? nullptr : exported->pointers.data();
  out->release = &release_morsel;
  out->private_data = exported.release();
}

}  // namespace vecframe::columnar
