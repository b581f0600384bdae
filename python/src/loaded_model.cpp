#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <vecframe/loaded_model.h>
#include <vecframe/session.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "download.h"
#include "provider.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

using Array = nb::ndarray<nb::numpy, float, nb::ndim<1>>;

nb::object to_array(std::vector<float> values) {
  auto held = std::make_unique<std::vector<float>>(std::move(values));
  float* data = held->data();
  const std::size_t size = held->size();
  const nb::capsule owner(held.release(), [](void* pointer) noexcept {
    delete static_cast<std::vector<float>*>(pointer);
  });
  return nb::cast(Array(data, {size}, owner));
}

}  // namespace

void bind_loaded_model(nb::module_& module) {
  nb::class_<LoadedModel>(module, "NativeLoadedModel")
      .def_prop_ro("dimension", &LoadedModel::dimension)
      .def(
          "embed_image",
          [](const LoadedModel& model, const nb::bytes& encoded) {
            const auto* data = static_cast<const std::byte*>(encoded.data());
            std::vector<float> vector;
            {
              const nb::gil_scoped_release release;
              vector = model.embed_image({data, encoded.size()});
            }
            return to_array(std::move(vector));
          },
          "encoded"_a,
          nb::sig("def embed_image(self, encoded: bytes) -> numpy.typing.NDArray[numpy.float32]"))
      .def(
          "embed_text",
          [](const LoadedModel& model, const std::string& text) {
            std::vector<float> vector;
            {
              const nb::gil_scoped_release release;
              vector = model.embed_text(text);
            }
            return to_array(std::move(vector));
          },
          "text"_a,
          nb::sig("def embed_text(self, text: str) -> numpy.typing.NDArray[numpy.float32]"));
  module.def(
      "load_model",
      [](const Session& session, const EmbedOptions& common, nb::object provider,
         const nb::dict& words, int threads, nb::object on_download) {
        const auto options = to_call_options<EmbedImageOptions>(common, std::move(provider), words);
        std::optional<LoadedModel> model;
        run_download(on_download, [&](const DownloadOptions& download) {
          const SessionScope scope(session);
          model.emplace(options, threads, download);
        });
        return *model;
      },
      "session"_a, "options"_a, nb::kw_only(), "provider"_a, "words"_a, "threads"_a,
      "on_download"_a.none(),
      nb::sig("def load_model(session: NativeSession, options: EmbedOptions, *, "
              "provider: NativeProvider, words: dict[str, object], threads: int, "
              "on_download: collections.abc.Callable[[DownloadProgress], object] | None) "
              "-> NativeLoadedModel"));
}

}  // namespace vecframe::python
