// Embedders of a plan as they travel to the workers of a cluster.

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <vecframe/jobs.h>

#include <cstdint>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.h"
#include "provider.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

// A use whose embedder, if it is written in Python, is a Description.
struct PythonUse {
  EmbedderUse use;
  nb::object description;  // or None
};

using UseState = std::tuple<std::string, std::string, bool, bool, bool, std::string,
                            std::optional<std::int64_t>, std::optional<double>, nb::object>;

UseState state_of(const PythonUse& of) {
  const EmbedderUse& use = of.use;
  return {use.provider, use.model,       use.of_texts, use.is_local,  use.is_async,
          use.device,   use.concurrency, use.num_gpus, of.description};
}

void set_state(PythonUse& self, const UseState& state) {
  auto* made = new (&self) PythonUse;
  EmbedderUse& use = made->use;
  std::tie(use.provider, use.model, use.of_texts, use.is_local, use.is_async, use.device,
           use.concurrency, use.num_gpus, made->description) = state;
}

// One Description for all uses of a descriptor.
class Descriptions {
 public:
  nb::object of(const EmbedderUse& use) {
    if (use.pictures) return of(*use.pictures);
    if (use.texts) return of(*use.texts);
    return nb::none();
  }

 private:
  template <class Descriptor>
  nb::object of(const Descriptor& descriptor) {
    const Description* description = description_of(descriptor);
    if (description == nullptr) return nb::none();
    const auto [place, is_new] = made_.try_emplace(&descriptor, nb::none());
    if (is_new) place->second = nb::cast(*description);
    return place->second;
  }

  std::map<const void*, nb::object> made_;
};

std::vector<PythonUse> uses_of(const DataFrame& frame) {
  Descriptions descriptions;
  std::vector<PythonUse> uses;
  for (EmbedderUse& use : embedders_of(frame)) {
    nb::object description = descriptions.of(use);
    uses.push_back({std::move(use), std::move(description)});
  }
  return uses;
}

DataFrame worker_plan(const DataFrame& frame, const std::vector<PythonUse>& given) {
  std::vector<EmbedderUse> uses;
  std::map<PyObject*, EmbedderUse> made;  // by Description
  for (const PythonUse& one : given) {
    EmbedderUse& use = uses.emplace_back(one.use);
    if (one.description.is_none()) continue;
    const auto [place, is_new] = made.try_emplace(one.description.ptr());
    if (is_new) {
      const auto& description = nb::cast<const Description&>(one.description);
      if (use.of_texts) {
        place->second.texts = to_descriptor<std::string_view>(description);
      } else {
        place->second.pictures = to_descriptor<Picture>(description);
      }
    }
    use.pictures = place->second.pictures;
    use.texts = place->second.texts;
  }
  return for_worker(frame, uses);
}

}  // namespace

void bind_worker_plan(nb::module_& module) {
  nb::class_<PythonUse>(module, "EmbedderUse",
                        "A call of embed_image() or embed_text() in a plan; can be pickled.")
      .def_prop_ro("provider", [](const PythonUse& of) { return of.use.provider; })
      .def_prop_ro("model", [](const PythonUse& of) { return of.use.model; })
      .def_prop_ro(
          "is_local", [](const PythonUse& of) { return of.use.is_local; },
          "Of a model that this library runs itself.")
      .def_prop_ro("is_async", [](const PythonUse& of) { return of.use.is_async; })
      .def_prop_ro("device", [](const PythonUse& of) { return of.use.device; })
      .def_prop_ro(
          "concurrency", [](const PythonUse& of) { return of.use.concurrency; },
          "The call's, else the provider's.")
      .def_prop_ro("num_gpus", [](const PythonUse& of) { return of.use.num_gpus; })
      .def("__getstate__", &state_of, nb::sig("def __getstate__(self) -> tuple[object, ...]"))
      .def("__setstate__", &set_state, "state"_a,
           nb::sig("def __setstate__(self, state: tuple[object, ...]) -> None"));
  module.def("embedders_of", &uses_of, "frame"_a, "Every occurrence of such a call, in order.");
  module.def("for_worker", &worker_plan, "frame"_a, "uses"_a,
             "The plan as one of several workers runs it, with the embedders of `uses`.");
}

}  // namespace vecframe::python
