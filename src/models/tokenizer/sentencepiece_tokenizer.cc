#include "models/tokenizer/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>
#include <vecframe/error.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "models/tokenizer/added_tokens.h"
#include "models/tokenizer/sentencepiece_check.h"
#include "models/tokenizer/unicode.h"

namespace vecframe::models {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581
constexpr const char* kUnknown = "<unk>";
constexpr std::size_t kChunk = 1 << 14;  // bytes of a text that are encoded at once, at least

// What Python's \s matches: White_Space and the four separators of ASCII.
bool is_python_space(char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); }

bool is_ascii_punctuation(char32_t c) {
  return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
         (c >= 0x7B && c <= 0x7E);
}

std::string replace_space_symbols(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with(kSpaceSymbol)) {
      out += ' ';
      text.remove_prefix(kSpaceSymbol.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

// Without ASCII punctuation, white space at the ends, and more than one space between words.
std::string strip(std::string_view text) {
  std::string out;
  bool space_waits = false;
  while (!text.empty()) {
    const char32_t code_point = next_code_point(text);
    if (is_ascii_punctuation(code_point)) continue;
    if (is_python_space(code_point)) {
      space_waits = !out.empty();
      continue;
    }
    if (space_waits) out += ' ';
    space_waits = false;
    append_utf8(code_point, out);
  }
  return out;
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(const std::filesystem::path& path, const TokenizerSettings& settings)
      : lower_case_(settings.lower_case) {
    const MappedFile file(path);
    const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                                 file.bytes().size());
    if (!has_sound_character_map(bytes))
      throw RequestError("tokenizer: '" + path.string() +
                         "' is damaged (its table of replacements); fetch it again");
    if (const auto status = processor_.LoadFromSerializedProto(bytes); !status.ok())
      throw RequestError("tokenizer: '" + path.string() + "' is damaged (" + status.ToString() +
                         "); fetch it again");
    for (const NamedToken& token : settings.named) add_special(token.content);
    for (const char* token : {"</s>", kUnknown}) add_special(token);
    space_symbol_ = find(kSpaceSymbol).value_or(-1);
    unknown_prefix_ = settings.unknown ? settings.unknown->content : kUnknown;
    const std::vector<int> prefix = encode_plain(unknown_prefix_);
    unknown_length_ = prefix.size();
    prefix_ends_unknown_ = !prefix.empty() && prefix.back() == processor_.unk_id();
  }

  std::vector<TokenId> encode(std::string_view text) const override {
    std::vector<TokenId> ids;
    special_.split(
        std::string(kSpaceSymbol) + replace_space_symbols(text),
        [&](std::string_view piece) { encode_piece(piece, ids); },
        [&](TokenId id) {
          // Of a text that begins with a special token, nothing stands before it.
          if (ids.size() == 1 && ids.front() == space_symbol_) ids.clear();
          ids.push_back(id);
        });
    return ids;
  }

  std::optional<TokenId> find(std::string_view token) const override {
    const int id = processor_.PieceToId(token);
    if (id < 0 || processor_.IdToPiece(id) != token) return std::nullopt;
    return id;
  }

  TokenId largest_id() const override { return processor_.GetPieceSize() - 1; }

 private:
  // By character, whether it is unknown alone: what was found out for one text.
  using Unknowns = std::unordered_map<char32_t, bool>;

  std::vector<int> encode_plain(const std::string& text) const {
    std::vector<int> ids;
    // A failure would be one of memory; the text is valid UTF-8 by now.
    if (!processor_.Encode(text, &ids).ok()) throw std::bad_alloc();
    return ids;
  }

  // The ids of a text that goes on from another one. The library puts a space before every text;
  // the reference hides that from a piece by a prefix whose ids it drops again. It is done the same
  // way here, for the same ids in all cases.
  std::vector<int> encode_after_prefix(std::string_view text) const {
    std::vector<int> ids = encode_plain(unknown_prefix_ + std::string(text));
    if (ids.size() >= unknown_length_)
      ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(unknown_length_));
    return ids;
  }

  void encode_piece(std::string_view piece, std::vector<TokenId>& ids) const {
    const std::string canonical = strip(lower_case_ ? to_lower_text(piece) : piece);
    std::string_view rest = canonical;
    Unknowns unknowns;
    for (bool goes_on = false; !rest.empty() || !goes_on; goes_on = true) {
      const std::size_t length = chunk_length(rest, unknowns);
      std::vector<int> encoded = encode_after_prefix(rest.substr(0, length));
      // The unknown at the cut is one with that before it; an unknown at the end of the prefix has
      // taken it in already.
      if (goes_on && !prefix_ends_unknown_ && !encoded.empty()) encoded.erase(encoded.begin());
      ids.insert(ids.end(), encoded.begin(), encoded.end());
      rest.remove_prefix(length);
    }
  }

  // Whether a text has no piece of the vocabulary but the space before it.
  bool is_unknown(const std::string& text) const {
    for (const int id : encode_plain(text))
      if (id != processor_.unk_id() && id != space_symbol_) return false;
    return true;
  }

  // The library joins neighbouring unknown characters by copying what it has joined so far, which
  // is the square of their number. A long text is cut between two of them, which changes nothing:
  // no piece reaches across.
  std::size_t chunk_length(std::string_view text, Unknowns& unknowns) const {
    if (text.size() <= kChunk) return text.size();
    std::string_view rest = text.substr(kChunk);
    while (!rest.empty() && (static_cast<unsigned char>(rest.front()) & 0xC0) == 0x80)
      rest.remove_prefix(1);
    std::string left;
    bool left_unknown = false;
    while (!rest.empty()) {
      std::string_view after = rest;
      const char32_t code_point = next_code_point(after);
      std::string right;
      append_utf8(code_point, right);
      const auto [entry, is_new] = unknowns.try_emplace(code_point, false);
      if (is_new) entry->second = code_point != ' ' && is_unknown(right);
      if (left_unknown && entry->second && is_unknown(left + right))
        return text.size() - rest.size();
      left = std::move(right);
      left_unknown = entry->second;
      rest = after;
    }
    return text.size();
  }

  // White space that such a token takes along makes no difference: it is stripped anyway.
  void add_special(const std::string& content) {
    if (special_.find(content)) return;
    if (const auto id = find(content)) special_.add(content, *id);
  }

  sentencepiece::SentencePieceProcessor processor_;
  bool lower_case_;
  AddedTokens special_;
  TokenId space_symbol_ = -1;
  std::string unknown_prefix_;
  std::size_t unknown_length_ = 0;
  bool prefix_ends_unknown_ = false;
};

}  // namespace

std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::filesystem::path& path,
                                                        const TokenizerSettings& settings) {
  try {
    return std::make_unique<SentencePieceTokenizer>(path, settings);
  } catch (const std::system_error& error) {
    throw RequestError("tokenizer: '" + path.string() + "' cannot be read (" +
                       error.code().message() + "); fetch the whole model directory");
  } catch (const RequestError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // the library's, of some damaged files
    throw RequestError("tokenizer: '" + path.string() + "' is damaged (" + error.what() +
                       "); fetch it again");
  }
}

}  // namespace vecframe::models
