// Providers and embedders that are written in Python, as those of the C++ interface.
#pragma once

#include <nanobind/nanobind.h>
#include <vecframe/expression.h>
#include <vecframe/provider.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vecframe::python {

/// A reference that any thread may drop, without the interpreter's lock.
class SharedObject {
 public:
  explicit SharedObject(nanobind::object object) : object_(std::move(object)) {}
  ~SharedObject();
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;
  const nanobind::object& get() const { return object_; }

 private:
  nanobind::object object_;
};

/// A descriptor as the Python side has read it.
struct Description {
  EmbedderIdentity identity;
  CallRules rules;
  /// Called with a callable that tells whether the run is to stop; gives what is called with rows:
  /// a callable if the embedder is sync, else an object with submit(rows, done) and close().
  std::shared_ptr<const SharedObject> make;
};

template <class Input>
std::shared_ptr<const EmbedderDescriptor<Input>> to_descriptor(const Description& description);
extern template std::shared_ptr<const PictureDescriptor> to_descriptor(const Description&);
extern template std::shared_ptr<const TextDescriptor> to_descriptor(const Description&);

/// What such a descriptor was made of; null for one of another kind.
template <class Input>
const Description* description_of(const EmbedderDescriptor<Input>& descriptor);
extern template const Description* description_of(const PictureDescriptor&);
extern template const Description* description_of(const TextDescriptor&);

/// A provider that is not written in Python, as Python holds it.
struct NativeProvider {
  std::shared_ptr<const Provider> provider;
};

/// Throws RequestError for a value that no option takes; the message has its name, not the value.
OptionValues to_options(const nanobind::dict& options);

/// The provider itself, for the library.
std::shared_ptr<const Provider> to_provider(nanobind::object object);
/// Those of a call from Python: what it has in common with others, its provider, and further words.
template <class Options>
Options to_call_options(const EmbedOptions& common, nanobind::object provider,
                        const nanobind::dict& words) {
  Options options;
  static_cast<EmbedOptions&>(options) = common;
  options.provider_instance = to_provider(std::move(provider));
  options.options = to_options(words);
  return options;
}
/// What stands for a provider in Python: the object that it is written as, or a NativeProvider.
nanobind::object from_provider(const std::shared_ptr<const Provider>& provider);

}  // namespace vecframe::python
