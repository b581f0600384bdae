#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <vecframe/expression.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {

void bind_expression(nb::module_& module) {
  nb::class_<Expression>(module, "Expression", "What a column is computed from.")
      .def("__repr__", &Expression::to_string);
  module.def("col", &col, "name"_a);

  nb::enum_<OnError>(module, "OnError")
      .value("RAISE", OnError::kRaise)
      .value("LOG", OnError::kLog)
      .value("IGNORE", OnError::kIgnore);

  module.def(
      "embed_image",
      [](const Expression& image, std::optional<std::string> provider,
         std::optional<std::string> model, bool normalize, std::string precision,
         std::string device, std::optional<std::int64_t> batch_size, OnError on_error,
         std::optional<std::string> error_column) {
        EmbedImageOptions options;
        options.provider = std::move(provider);
        options.model = std::move(model);
        options.normalize = normalize;
        options.precision = std::move(precision);
        options.device = std::move(device);
        options.batch_size = batch_size;
        options.on_error = on_error;
        options.error_column = std::move(error_column);
        nb::gil_scoped_release unlocked;  // reads the headers of the model's files
        return embed_image(image, options);
      },
      "image"_a, nb::kw_only(), "provider"_a.none(), "model"_a.none(), "normalize"_a, "precision"_a,
      "device"_a, "batch_size"_a.none(), "on_error"_a, "error_column"_a.none());
}

}  // namespace vecframe::python
