#include "providers/remote/wire_format.h"

#include <algorithm>
#include <array>

namespace vecframe::providers {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
constexpr AnswerPointers kOpenAiAnswer{"/data/*/embedding", "/data/*/index", "/error"};
constexpr std::string_view kBase64 = R"(,"encoding_format":"base64")";

constexpr std::array kFormats{
    // OpenAI's embeddings with data URLs where it has texts, as NVIDIA's NIM and proxies take them.
    WireFormat{.id = "openai",
               .path = "/embeddings",
               .auth_header = "Authorization",
               .auth_prefix = "Bearer ",
               .container = "input",
               .picture = {"\"", "\"", ""},
               .text = {"", "", ""},
               .dimension_key = "dimensions",
               .base64_member = kBase64,
               .limits = {2048, 16 * kMebibyte},
               .answer = kOpenAiAnswer},
    // Infinity: the same, told that the strings are pictures. It takes 32 of them.
    WireFormat{.id = "infinity",
               .path = "/embeddings",
               .auth_header = "Authorization",
               .auth_prefix = "Bearer ",
               .container = "input",
               .picture = {"\"", "\"", R"(,"modality":"image")"},
               .text = {"", "", R"(,"modality":"text")"},
               .dimension_key = "dimensions",
               .base64_member = kBase64,
               .limits = {32, 16 * kMebibyte},
               .answer = kOpenAiAnswer},
    // vLLM: a conversation for each picture.
    WireFormat{.id = "vllm",
               .path = "/embeddings",
               .auth_header = "Authorization",
               .auth_prefix = "Bearer ",
               .container = "messages",
               .picture = {R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":")",
                           R"("}}]}])", R"(,"endianness":"little")"},
               .text = {R"([{"role":"user","content":[{"type":"text","text":)", R"(}]}])",
                        R"(,"endianness":"little")"},
               .dimension_key = "dimensions",
               .base64_member = kBase64,
               .limits = {2048, 16 * kMebibyte},
               .answer = kOpenAiAnswer},
};

}  // namespace

std::span<const WireFormat> wire_formats() { return kFormats; }

const WireFormat* find_wire_format(std::string_view id) {
  const auto it = std::find_if(kFormats.begin(), kFormats.end(),
                               [&](const WireFormat& format) { return format.id == id; });
  return it == kFormats.end() ? nullptr : it;
}

}  // namespace vecframe::providers
