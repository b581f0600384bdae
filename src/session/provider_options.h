// Checks the options of a call against what its provider has.
#pragma once

#include <vecframe/provider.h>

#include <string>

namespace vecframe::session {

/// Throws RequestError: an option that the provider does not have (with the nearest name, or who
/// has it), one of a wrong type, or out of range. `function` begins the message.
void check_options(const std::string& function, const Provider& provider,
                   const OptionValues& options);
void check_options(const std::string& function, const std::string& provider,
                   const std::vector<OptionSpec>& specs, const OptionValues& options);

/// The options that a plan may keep and show: declared ones without the secret ones.
OptionValues shown_options(const Provider& provider, const OptionValues& options);

}  // namespace vecframe::session
