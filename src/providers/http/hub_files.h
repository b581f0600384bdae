// Which files of a hub repository make a model that this library reads.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::providers {

struct HubId {
  std::string name;      ///< [owner/]name
  std::string revision;  ///< branch, tag, refs/pr/N or commit; "main" unless given
};

/// `[owner/]name[@revision]` by the hub's rules for names, which also keep it inside a folder of
/// the cache and of a URL; nothing for anything else.
std::optional<HubId> parse_hub_id(const std::string& text);

/// Configuration, processor and tokenizer files, in the order in which they are fetched. All but
/// one lead to vectors only together with others, so each is wanted where it exists.
std::span<const std::string_view> small_file_names();
inline constexpr std::string_view kConfigName = "config.json";
inline constexpr std::string_view kOpenClipConfigName = "open_clip_config.json";
inline constexpr std::string_view kWeightsName = "model.safetensors";
inline constexpr std::string_view kWeightsIndexName = "model.safetensors.index.json";

/// True for a plain file name: no folder, nothing hidden, nothing a shell or terminal minds.
bool is_plain_name(std::string_view name);

/// What to fetch of a repository whose files are `names`: weights first, then the small files. An
/// index stands for its shards, which only it names. Never anything that is, or holds, code.
struct HubFileChoice {
  std::vector<std::string> weights;  ///< files, or one index
  std::vector<std::string> small;
  bool only_pickles = false;  ///< no safetensors, but weights as pickles
};
HubFileChoice choose_files(const std::vector<std::string>& names);

/// The shards that an index file names, sorted, each once. Throws HubError if it is not an index or
/// names what is_plain_name() refuses.
std::vector<std::string> shards_of_index(const std::string& json);

}  // namespace vecframe::providers
