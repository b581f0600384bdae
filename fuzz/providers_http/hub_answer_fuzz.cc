// What a hub, or whatever answers in its place, may say: it is refused with HubError, or every name
// in it that would become a path is a plain file name.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "providers/http/http_error.h"
#include "providers/http/hub_client.h"
#include "providers/http/hub_error.h"
#include "providers/http/hub_files.h"
#include "providers/http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vecframe::providers;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const HubRevision revision = parse_revision(text);
    if (!is_plain_name(revision.commit)) std::abort();
    const HubFileChoice choice = choose_files(revision.files);
    for (const auto& names : {choice.weights, choice.small}) {
      for (const std::string& name : names) {
        if (!is_plain_name(name)) std::abort();
      }
    }
  } catch (const HubError&) {
  }
  try {
    for (const std::string& shard : shards_of_index(text)) {
      if (!is_plain_name(shard)) std::abort();
    }
  } catch (const HubError&) {
  }
  if (const auto id = parse_hub_id(text)) {
    if (id->name.find("..") != std::string::npos || id->revision.find("..") == 0) std::abort();
  }
  if (const auto next = resolve_url("https://hub.example/a/b?c", text)) {
    if (!origin_of(*next)) std::abort();
  }
  shown_url(text);
  parse_retry_after(text);
  return 0;
}
