// Rows go to Python and vectors come back. The interpreter's lock is taken for a call and let go
// before an answer is handed on; what Python raises becomes an exception that holds nothing of it.

#include "provider.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/function.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <vecframe/error.h>
#include <vecframe/session.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "bindings.h"
#include "expression_values.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {

SharedObject::~SharedObject() {
  // Past the interpreter's end there is nothing to give back.
  if (!Py_IsInitialized()) {
    object_.release();
    return;
  }
  nb::gil_scoped_acquire locked;
  object_.reset();
}

namespace {

using Pixels = nb::ndarray<nb::numpy, const std::uint8_t, nb::ndim<3>>;
using Vector = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// A read-only view of the pixels, which live as long as it does.
nb::object to_python(const Picture& picture) {
  auto owner = std::make_unique<std::shared_ptr<const void>>(picture.owner);
  nb::capsule capsule(owner.release(), [](void* held) noexcept {
    delete static_cast<std::shared_ptr<const void>*>(held);
  });
  const std::size_t shape[] = {picture.height, picture.width,
                               static_cast<std::size_t>(picture.channels)};
  return nb::cast(Pixels(picture.pixels.data(), 3, shape, capsule));
}

nb::object to_python(std::string_view text) { return nb::str(text.data(), text.size()); }

template <class Input>
nb::list rows_of(std::span<const Input> rows) {
  nb::list list;
  for (const Input& row : rows) list.append(to_python(row));
  return list;
}

// (kind, message, seconds or None), as the Python side tells a failure.
std::exception_ptr failure_of(const nb::tuple& told) {
  const auto kind = nb::cast<std::string>(told[0]);
  const auto message = nb::cast<std::string>(told[1]);
  if (kind == "run") return std::make_exception_ptr(RunError(message));
  if (kind != "transient") return std::make_exception_ptr(std::runtime_error(message));
  std::optional<std::chrono::milliseconds> after;
  if (!told[2].is_none())
    after = std::chrono::milliseconds(static_cast<std::int64_t>(nb::cast<double>(told[2]) * 1000));
  return std::make_exception_ptr(TransientError(message, after));
}

RowVector vector_of(nb::handle row) {
  if (nb::isinstance<nb::str>(row)) return {{}, nb::cast<std::string>(row)};
  const auto array = nb::cast<Vector>(row);
  return {{array.data(), array.data() + array.shape(0)}, {}};
}

using Answer = std::variant<std::vector<RowVector>, std::exception_ptr>;

// A float32 matrix, a list of float32 vectors and texts that are errors, or a failure.
Answer answer_of(nb::handle answer) {
  if (nb::isinstance<nb::tuple>(answer)) return failure_of(nb::borrow<nb::tuple>(answer));
  std::vector<RowVector> vectors;
  if (nb::isinstance<nb::list>(answer)) {
    for (nb::handle row : nb::borrow<nb::list>(answer)) vectors.push_back(vector_of(row));
    return vectors;
  }
  const auto matrix = nb::cast<Matrix>(answer);
  for (std::size_t row = 0; row < matrix.shape(0); ++row) {
    const float* values = matrix.data() + row * matrix.shape(1);
    vectors.push_back({{values, values + matrix.shape(1)}, {}});
  }
  return vectors;
}

// Type and message, on one line, as the Python side tells failures.
std::string told_by(const nb::python_error& error) {
  return nb::cast<std::string>(nb::str(error.type().attr("__name__"))) + ": " +
         nb::cast<std::string>(nb::str(error.value()));
}

// With the lock held. Gives what `call` gives; what Python raises ends the run, for the Python side
// tells failures of batches in another way.
template <class Call>
auto without_python_errors(const Call& call) {
  try {
    return call();
  } catch (const nb::python_error& error) {
    throw RunError(told_by(error));
  } catch (const nb::cast_error&) {
    throw RunError("the embedder's answer cannot be read");
  }
}

template <class Input>
class PythonSyncEmbedder final : public SyncEmbedder<Input> {
 public:
  explicit PythonSyncEmbedder(nb::object caller) : caller_(std::move(caller)) {}
  std::vector<RowVector> embed(std::span<const Input> rows) override {
    Answer answer;
    {
      nb::gil_scoped_acquire locked;
      answer = without_python_errors([&] { return answer_of(caller_.get()(rows_of(rows))); });
    }
    if (auto* failure = std::get_if<std::exception_ptr>(&answer)) std::rethrow_exception(*failure);
    return std::get<std::vector<RowVector>>(std::move(answer));
  }

 private:
  SharedObject caller_;
};

template <class Input>
class PythonAsyncEmbedder final : public AsyncEmbedder<Input> {
 public:
  explicit PythonAsyncEmbedder(nb::object caller) : caller_(std::move(caller)) {}
  ~PythonAsyncEmbedder() override {
    nb::gil_scoped_acquire locked;
    try {
      caller_.get().attr("close")();
    } catch (nb::python_error& error) {
      error.discard_as_unraisable("vecframe: closing the event loop of an embedder");
    }
  }
  void submit(std::span<const Input> rows,
              typename AsyncEmbedder<Input>::Completion completion) override {
    nb::gil_scoped_acquire locked;
    without_python_errors([&] {
      nb::object done = nb::cpp_function([completion](nb::object told) {
        Answer answer;
        try {
          answer = without_python_errors([&] { return answer_of(told); });
        } catch (...) {
          answer = std::current_exception();
        }
        nb::gil_scoped_release unlocked;
        completion(std::move(answer));
      });
      caller_.get().attr("submit")(rows_of(rows), done);
      return true;
    });
  }

 private:
  SharedObject caller_;
};

template <class Input>
class PythonDescriptor final : public EmbedderDescriptor<Input> {
 public:
  explicit PythonDescriptor(Description description) : description_(std::move(description)) {}
  const EmbedderIdentity& identity() const override { return description_.identity; }
  const CallRules& rules() const override { return description_.rules; }
  const Description& description() const { return description_; }
  AnyEmbedder<Input> instantiate(const StopSource& stop) const override {
    nb::gil_scoped_acquire locked;
    try {
      nb::object stopped = nb::cpp_function([stop] { return stop.requested(); });
      nb::object caller = description_.make->get()(stopped);
      if (description_.rules.is_async)
        return std::make_unique<PythonAsyncEmbedder<Input>>(std::move(caller));
      return std::make_unique<PythonSyncEmbedder<Input>>(std::move(caller));
    } catch (const nb::python_error& error) {
      throw std::runtime_error(told_by(error));
    }
  }

 private:
  Description description_;
};

// As a session holds it. Python's own embed_image() goes another way to it, on which options are
// any objects; this one is for calls from elsewhere.
class PythonProvider final : public Provider {
 public:
  PythonProvider(nb::object object, std::string name)
      : object_(std::move(object)), name_(std::move(name)) {}
  std::string name() const override { return name_; }
  bool takes_other_options() const override { return true; }
  std::shared_ptr<const PictureDescriptor> describe_pictures(
      const EmbedRequest& request) const override {
    return describe<Picture>("embed_image", request);
  }
  std::shared_ptr<const TextDescriptor> describe_texts(const EmbedRequest& request) const override {
    return describe<std::string_view>("embed_text", request);
  }
  const nb::object& object() const { return object_.get(); }

 private:
  template <class Input>
  std::shared_ptr<const EmbedderDescriptor<Input>> describe(const char* function,
                                                            const EmbedRequest& request) const {
    nb::gil_scoped_acquire locked;
    try {
      nb::dict options;
      for (const auto& [name, value] : request.options)
        options[name.c_str()] =
            std::visit([](const auto& held) { return from_value(held); }, value);
      nb::object described = nb::module_::import_("vecframe._calls")
                                 .attr("describe")(object_.get(), function, request.model,
                                                   request.dimensions, options);
      return to_descriptor<Input>(nb::cast<const Description&>(described));
    } catch (const nb::python_error& error) {
      throw RequestError(told_by(error));
    }
  }

  static nb::object from_value(std::monostate) { return nb::none(); }
  static nb::object from_value(const std::vector<double>& values) {
    nb::list list;
    for (const double value : values) list.append(value);
    return list;
  }
  template <class T>
  static nb::object from_value(const T& value) {
    return nb::cast(value);
  }

  SharedObject object_;
  const std::string name_;
};

// A SessionScope between the two ends of a Python block.
class ScopeOfSession {
 public:
  explicit ScopeOfSession(const Session& session) : session_(session) {}
  void enter() { scope_ = std::make_unique<SessionScope>(session_); }
  void leave() { scope_.reset(); }

 private:
  Session session_;
  std::unique_ptr<SessionScope> scope_;
};

}  // namespace

template <class Input>
std::shared_ptr<const EmbedderDescriptor<Input>> to_descriptor(const Description& description) {
  return std::make_shared<PythonDescriptor<Input>>(description);
}
template std::shared_ptr<const PictureDescriptor> to_descriptor(const Description&);
template std::shared_ptr<const TextDescriptor> to_descriptor(const Description&);

template <class Input>
const Description* description_of(const EmbedderDescriptor<Input>& descriptor) {
  const auto* python = dynamic_cast<const PythonDescriptor<Input>*>(&descriptor);
  return python == nullptr ? nullptr : &python->description();
}
template const Description* description_of(const PictureDescriptor&);
template const Description* description_of(const TextDescriptor&);

namespace {

using DescriptionState =
    std::tuple<std::string, std::string, std::int64_t, std::map<std::string, std::string>, bool,
               std::optional<std::int64_t>, std::optional<std::int64_t>, std::int64_t, double,
               nb::object>;

DescriptionState state_of(const Description& of) {
  return {of.identity.provider, of.identity.model,   of.identity.dimension, of.identity.details,
          of.rules.is_async,    of.rules.batch_size, of.rules.concurrency,  of.rules.max_retries,
          of.rules.num_gpus,    of.make->get()};
}

void set_state(Description& self, const DescriptionState& state) {
  const auto& [provider, model, dimension, details, is_async, batch_size, concurrency, max_retries,
               num_gpus, make] = state;
  new (&self) Description{{provider, model, dimension, {}, details},
                          {is_async, batch_size, concurrency, max_retries, num_gpus},
                          std::make_shared<SharedObject>(make)};
}

}  // namespace

OptionValues to_options(const nb::dict& options) {
  OptionValues values;
  for (const auto& [key, value] : options) {
    auto name = nb::cast<std::string>(key);
    try {
      values.emplace(name, to_value(value));
    } catch (const RequestError&) {
      throw RequestError(name + ": a value of type " +
                         nb::cast<std::string>(nb::str(value.type().attr("__name__"))) +
                         "; give a text, a number, True or False");
    }
  }
  return values;
}

std::shared_ptr<const Provider> to_provider(nb::object object) {
  if (nb::isinstance<NativeProvider>(object)) return nb::cast<NativeProvider>(object).provider;
  auto name = nb::cast<std::string>(object.attr("name"));
  return std::make_shared<PythonProvider>(std::move(object), std::move(name));
}

nb::object from_provider(const std::shared_ptr<const Provider>& provider) {
  if (provider == nullptr) return nb::none();
  if (const auto* python = dynamic_cast<const PythonProvider*>(provider.get()))
    return python->object();
  return nb::cast(NativeProvider{provider});
}

void bind_provider(nb::module_& module) {
  nb::class_<NativeProvider>(module, "NativeProvider",
                             "A provider that this library brings along, or one in C++.")
      .def_prop_ro("name", [](const NativeProvider& held) { return held.provider->name(); })
      .def("__repr__",
           [](const NativeProvider& held) { return "<provider '" + held.provider->name() + "'>"; })
      .def(
          "__eq__",
          [](const NativeProvider& a, nb::object b) {
            return nb::isinstance<NativeProvider>(b) &&
                   nb::cast<const NativeProvider&>(b).provider == a.provider;
          },
          "other"_a.none())
      .def("__hash__", [](const NativeProvider& held) {
        return std::hash<const void*>()(held.provider.get());
      });
  nb::class_<Description>(module, "Description", "A descriptor of an embedder, as it was read.")
      .def(
          "__init__",
          [](Description* self, std::string provider, std::string model, std::int64_t dimension,
             std::map<std::string, std::string> details, bool is_async,
             std::optional<std::int64_t> batch_size, std::optional<std::int64_t> concurrency,
             std::int64_t max_retries, double num_gpus, nb::object make) {
            new (self) Description{
                {std::move(provider), std::move(model), dimension, {}, std::move(details)},
                {is_async, batch_size, concurrency, max_retries, num_gpus},
                std::make_shared<SharedObject>(std::move(make))};
          },
          nb::kw_only(), "provider"_a, "model"_a, "dimension"_a, "details"_a, "is_async"_a,
          "batch_size"_a.none(), "concurrency"_a.none(), "max_retries"_a, "num_gpus"_a, "make"_a,
          nb::sig("def __init__(self, *, provider: str, model: str, dimension: int, "
                  "details: dict[str, str], is_async: bool, batch_size: int | None, "
                  "concurrency: int | None, max_retries: int, num_gpus: float, "
                  "make: collections.abc.Callable[[collections.abc.Callable[[], bool]], object]) "
                  "-> None"))
      .def("__getstate__", &state_of, nb::sig("def __getstate__(self) -> tuple[object, ...]"))
      .def("__setstate__", &set_state, "state"_a,
           nb::sig("def __setstate__(self, state: tuple[object, ...]) -> None"));
  nb::class_<Session>(module, "NativeSession")
      .def(nb::init<>())
      .def_static("process", [] { return Session::current(); })
      .def("clear", &Session::clear)
      .def(
          "attach",
          [](Session& session, nb::object provider, std::optional<std::string> alias) {
            session.attach_provider(to_provider(std::move(provider)), alias);
          },
          "provider"_a, "alias"_a.none())
      .def("detach", &Session::detach_provider, "name"_a)
      .def("has", &Session::has_provider, "name"_a)
      .def(
          "get",
          [](const Session& session, const std::string& name) {
            return from_provider(session.get_provider(name));
          },
          "name"_a)
      .def("current",
           [](const Session& session) { return from_provider(session.current_provider()); })
      .def(
          "resolve",
          [](const Session& session, std::optional<std::string> name) {
            return from_provider(session.resolve_provider(name));
          },
          "name"_a.none())
      .def_prop_ro("model", &Session::model)
      .def(
          "choose",
          [](Session& session, std::optional<std::string> name, const nb::dict& options,
             std::optional<std::string> model) {
            session.set_provider(name, to_options(options), model);
          },
          "name"_a.none(), "options"_a, "model"_a.none(),
          nb::sig("def choose(self, name: str | None, options: dict[str, object], "
                  "model: str | None) -> None"))
      .def(
          "choose_instance",
          [](Session& session, nb::object provider, std::optional<std::string> model) {
            session.set_provider(to_provider(std::move(provider)), model);
          },
          "provider"_a, "model"_a.none());
  nb::class_<ScopeOfSession>(module, "NativeSessionScope",
                             "A session as the current one of the thread, inside `with`.")
      .def(nb::init<const Session&>(), "session"_a)
      .def("__enter__", &ScopeOfSession::enter)
      .def(
          "__exit__", [](ScopeOfSession& scope, const nb::args&) { scope.leave(); },
          nb::sig("def __exit__(self, *cause: object) -> None"));
}

}  // namespace vecframe::python
