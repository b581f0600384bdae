// The providers whose models this library runs itself, as providers by name. Their embedders take
// packed slots, not pictures, so they are described by the session (session.h) and not by
// describe_pictures().
#pragma once

#include <vecframe/expression.h>
#include <vecframe/provider.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vecframe::session {

class LocalModels final : public Provider {
 public:
  LocalModels(std::string name, OptionValues defaults)
      : name_(std::move(name)), defaults_(std::move(defaults)) {}
  std::string name() const override { return name_; }
  std::vector<OptionSpec> options() const override;
  /// Of later calls, as set_provider() got them.
  const OptionValues& defaults() const { return defaults_; }

 private:
  std::string name_;
  OptionValues defaults_;
};

std::vector<OptionSpec> local_options();
std::shared_ptr<const Provider> make_local(const std::string& name, const OptionValues& options);

/// Null for any other provider.
const LocalModels* as_local(const Provider& provider);

/// Moves options by name into the fields of the same names: those of the call, then the provider's
/// defaults where the call has nothing. The names and types were checked.
void take_local_options(const OptionValues& defaults, EmbedOptions& options);
void take_local_options(const OptionValues& defaults, EmbedImageOptions& options);

}  // namespace vecframe::session
