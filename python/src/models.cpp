#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <vecframe/models.h>
#include <vecframe/session.h>

#include <optional>
#include <string>
#include <utility>

#include "bindings.h"
#include "download.h"
#include "provider.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {

void bind_models(nb::module_& module) {
  nb::class_<ModelInfo>(module, "ModelInfo",
                        "What is known of a model before its weights are read.")
      .def_ro("name", &ModelInfo::name, "As `model=` takes it.")
      .def_ro("provider", &ModelInfo::provider)
      .def_ro("family", &ModelInfo::family)
      .def_ro("state", &ModelInfo::state,
              "\"built-in\", \"built-in, not fetched\", \"directory\", \"cached\", \"known\" or "
              "\"not downloaded\".")
      .def_ro("dimension", &ModelInfo::dimension, "0: unknown.")
      .def_ro("licence", &ModelInfo::licence, "SPDX identifier, if known.")
      .def_ro("parameters", &ModelInfo::parameters, "0: unknown.")
      .def_ro("gflop_per_image", &ModelInfo::gflop_per_image, "0: unknown.")
      .def_ro("image_height", &ModelInfo::image_height, "0: unknown; describe_model() knows.")
      .def_ro("image_width", &ModelInfo::image_width, "0: unknown; describe_model() knows.")
      .def_ro("processor", &ModelInfo::processor,
              "What is done to a picture before, on one line; \"\" in a list.")
      .def_ro("revision", &ModelInfo::revision, "The hub's commit, or \"\".")
      .def_ro("directory", &ModelInfo::directory,
              "Where the files are; \"\" if they are not on this machine, and in a list.")
      .def_ro("has_text_tower", &ModelInfo::has_text_tower,
              "Whether the model embeds texts too; None: not known.")
      .def("__repr__", [](const ModelInfo& info) {
        return "ModelInfo(name='" + info.name + "', provider='" + info.provider + "', family='" +
               info.family + "', state='" + info.state +
               "', dimension=" + std::to_string(info.dimension) + ")";
      });

  module.def("list_models", &list_models, nb::call_guard<nb::gil_scoped_release>());
  module.def(
      "describe_model",
      [](const Session& session, std::optional<std::string> model, nb::object provider,
         std::string precision, std::string device) {
        EmbedImageOptions options;
        options.model = std::move(model);
        options.provider_instance = to_provider(std::move(provider));
        options.precision = std::move(precision);
        options.device = std::move(device);
        ModelInfo info;
        run_download(nb::none(), [&](const DownloadOptions& download) {
          const SessionScope scope(session);
          info = describe_model(options, download);
        });
        return info;
      },
      "session"_a, "model"_a.none(), nb::kw_only(), "provider"_a, "precision"_a, "device"_a,
      nb::sig("def describe_model(session: NativeSession, model: str | None, *, "
              "provider: NativeProvider, precision: str, device: str) -> ModelInfo"));
}

}  // namespace vecframe::python
