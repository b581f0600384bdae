#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <vecframe/expression.h>
#include <vecframe/session.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "bindings.h"
#include "download.h"
#include "expression_values.h"
#include "provider.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

// embed_image() and embed_text() with the words of a call from Python.
template <class Options, Expression (*embed)(Expression, const Options&, const DownloadOptions&)>
Expression embedding_of(const Session& session, const Expression& column,
                        const EmbedOptions& common, nb::object provider, const nb::dict& words,
                        nb::object on_download) {
  const auto options = to_call_options<Options>(common, std::move(provider), words);
  std::optional<Expression> expression;
  run_download(on_download, [&](const DownloadOptions& download) {
    const SessionScope scope(session);
    expression = embed(column, options, download);
  });
  return *expression;
}

}  // namespace

void bind_expression(nb::module_& module) {
  nb::class_<Expression> bound(module, "Expression", "What a column is computed from.");
  bound.def("__repr__", &Expression::to_string)
      .def("to_json", &Expression::to_json,
           "As JSON, for from_json() in this or another process of the same release.")
      .def_static("from_json", &Expression::from_json, "json"_a)
      .def(
          "__reduce__",
          [](const Expression& self) {
            // A function of Python, which a pickle can name.
            nb::object read = nb::module_::import_("vecframe.expression").attr("from_json");
            return nb::make_tuple(std::move(read), nb::make_tuple(self.to_json()));
          },
          nb::sig("def __reduce__(self) -> tuple[object, tuple[str]]"))
      .def("alias", &Expression::alias, "name"_a,
           "The same expression under a name that select() gives to its column.")
      .def_prop_ro("name", &Expression::name,
                   "That of alias(), else of the column it refers to, else None.");
  bind_expression_operators(bound);
  module.def("col", &col, "name"_a);
  module.def("lit", &to_literal, "value"_a.none());
  module.def("call", &call_function, "function"_a, "arguments"_a, "options"_a,
             nb::sig("def call(function: str, arguments: list[object], options: dict[str, object]) "
                     "-> Expression"));

  nb::class_<FunctionInfo>(module, "FunctionInfo", "A function that call() knows.")
      .def_ro("name", &FunctionInfo::name)
      .def_ro("arguments", &FunctionInfo::arguments)
      .def_prop_ro(
          "options",
          [](const FunctionInfo& info) {
            nb::dict options;
            for (const auto& [name, value] : info.options)
              options[name.c_str()] = from_value(value);
            return options;
          },
          nb::sig("def options(self) -> dict[str, object]"),
          "With their defaults; None: must be given, an integer.");
  module.def("list_functions", &list_functions);

  nb::enum_<OnError>(module, "OnError")
      .value("RAISE", OnError::kRaise)
      .value("LOG", OnError::kLog)
      .value("IGNORE", OnError::kIgnore);

  nb::class_<EmbedOptions>(module, "EmbedOptions",
                           "What embed_image and embed_text have in common.")
      .def(nb::init<>())
      .def_rw("model", &EmbedOptions::model, nb::arg().none())
      .def_rw("dimensions", &EmbedOptions::dimensions, nb::arg().none())
      .def_rw("normalize", &EmbedOptions::normalize)
      .def_rw("dtype", &EmbedOptions::dtype)
      .def_rw("batch_size", &EmbedOptions::batch_size, nb::arg().none())
      .def_rw("concurrency", &EmbedOptions::concurrency, nb::arg().none())
      .def_rw("max_retries", &EmbedOptions::max_retries, nb::arg().none())
      .def_rw("num_gpus", &EmbedOptions::num_gpus, nb::arg().none())
      .def_rw("on_cluster", &EmbedOptions::on_cluster)
      .def_rw("on_error", &EmbedOptions::on_error)
      .def_rw("error_column", &EmbedOptions::error_column, nb::arg().none());

  module.def(
      "embed_image", embedding_of<EmbedImageOptions, embed_image>, "session"_a, "image"_a,
      "options"_a, nb::kw_only(), "provider"_a, "words"_a, "on_download"_a.none(),
      nb::sig("def embed_image(session: NativeSession, image: Expression, options: EmbedOptions, "
              "*, provider: NativeProvider, words: dict[str, object], "
              "on_download: collections.abc.Callable[[DownloadProgress], object] | None) "
              "-> Expression"));
  module.def(
      "embed_text", embedding_of<EmbedTextOptions, embed_text>, "session"_a, "text"_a, "options"_a,
      nb::kw_only(), "provider"_a, "words"_a, "on_download"_a.none(),
      nb::sig("def embed_text(session: NativeSession, text: Expression, options: EmbedOptions, "
              "*, provider: NativeProvider, words: dict[str, object], "
              "on_download: collections.abc.Callable[[DownloadProgress], object] | None) "
              "-> Expression"));
  module.def(
      "embed_image_with",
      [](const Expression& image, const EmbedOptions& common, const Description& description) {
        EmbedImageOptions options;
        static_cast<EmbedOptions&>(options) = common;
        options.descriptor = to_descriptor<Picture>(description);
        return embed_image(image, options);
      },
      "image"_a, "options"_a, "description"_a);
  module.def(
      "embed_text_with",
      [](const Expression& text, const EmbedOptions& common, const Description& description) {
        EmbedTextOptions options;
        static_cast<EmbedOptions&>(options) = common;
        options.descriptor = to_descriptor<std::string_view>(description);
        return embed_text(text, options);
      },
      "text"_a, "options"_a, "description"_a);
}

}  // namespace vecframe::python
