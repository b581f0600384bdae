// The providers that the library brings along, by name.
#pragma once

#include <vecframe/provider.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vecframe::session {

struct KnownProvider {
  const char* name;
  std::vector<OptionSpec> (*options)();
  /// The options were checked against those above.
  std::shared_ptr<const Provider> (*make)(const OptionValues& options);
};

std::span<const KnownProvider> known_providers();
/// Null for any other name.
const KnownProvider* find_known(const std::string& name);
/// `Provider 'x' is not yet supported.`, which users of the reference match on, and the nearest
/// name.
[[noreturn]] void refuse_provider(const std::string& name);

}  // namespace vecframe::session
