// What the files beside a model say of it.
#pragma once

#include <filesystem>
#include <string>

namespace vecframe::providers {

/// The licence in the front matter of README.md, as SPDX spells it where the hub's own spelling is
/// known; empty if there is none.
std::string read_licence(const std::filesystem::path& directory);

/// The commit, if the directory is a snapshot of the hub cache (.../snapshots/<40 hex digits>).
std::string snapshot_revision(const std::filesystem::path& directory);

}  // namespace vecframe::providers
