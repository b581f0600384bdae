// What a process uses when a call does not say: the provider and the model.
#pragma once

#include <vecframe/export.h>

#include <optional>
#include <string>

namespace vecframe {

/// Sets the provider, and the model, of later calls that name none; nothing clears them. Throws
/// RequestError for an unknown provider.
VECFRAME_API void set_provider(const std::optional<std::string>& provider,
                               const std::optional<std::string>& model = {});
/// The provider that set_provider() chose, if any.
VECFRAME_API std::optional<std::string> current_provider();

}  // namespace vecframe
