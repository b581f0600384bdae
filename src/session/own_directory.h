#pragma once

#include <filesystem>

namespace vecframe::session {

/// Directory of the shared object (or program) that holds this code: what is opened by name lies
/// beside it.
std::filesystem::path own_directory();

}  // namespace vecframe::session
