#include "models/tokenizer/tokenizer_document.h"

#include <vecframe/error.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vecframe::models {
namespace {

using nlohmann::json;

// Real files nest about ten levels.
constexpr std::size_t kMaxDepth = 64;

class DocumentReader final : public nlohmann::json_sax<json> {
 public:
  TokenizerDocument document;
  std::string problem;

  bool null() override { return add_value(json()); }
  bool boolean(bool value) override { return add_value(json(value)); }
  bool number_float(number_float_t value, const string_t&) override {
    return add_value(json(value));
  }
  bool binary(binary_t&) override { return fail("unexpected binary data"); }
  bool number_integer(number_integer_t value) override {
    if (part_ == Part::kVocabulary)
      return fail("the id " + std::to_string(value) + " is out of range");
    return add_value(json(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (part_ != Part::kVocabulary) return add_value(json(value));
    if (depth_ != 3 || value > static_cast<std::uint64_t>(std::numeric_limits<TokenId>::max()))
      return fail("the id " + std::to_string(value) + " is out of range");
    document.encoding.add_token(std::move(key_), static_cast<TokenId>(value));
    return true;
  }

  bool string(string_t& value) override {
    if (part_ != Part::kMerges) return add_value(json(std::move(value)));
    if (depth_ == 3) {  // the older form: "left right"
      const std::size_t space = value.find(' ');
      if (space == std::string::npos) return fail("the merge '" + value + "' is not a pair");
      return add_merge({value.substr(0, space), value.substr(space + 1)});
    }
    if (pair_.size() == 2) return fail("a merge is not a pair");
    pair_.push_back(std::move(value));
    return true;
  }

  bool key(string_t& name) override {
    if (part_ == Part::kMerges) return fail("the merges are not a list of pairs");
    key_ = std::move(name);
    if (depth_ == 1) top_key_ = key_;
    return true;
  }

  bool start_object(std::size_t) override {
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    if (part_ != Part::kRest) return fail("the vocabulary or the merges are of an unknown form");
    if (depth_ == 3 && top_key_ == "model" && key_ == "vocab") {
      part_ = Part::kVocabulary;
      document.has_vocabulary = true;
      return true;
    }
    return open(json::object());
  }

  bool end_object() override {
    --depth_;
    if (part_ == Part::kRest) return close();
    part_ = Part::kRest;
    for (const auto& [left, right] : early_merges_) document.encoding.add_merge(left, right);
    early_merges_ = {};
    return true;
  }

  bool start_array(std::size_t) override {
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    if (part_ == Part::kVocabulary || (part_ == Part::kMerges && depth_ != 4))
      return fail("the vocabulary or the merges are of an unknown form");
    if (part_ == Part::kMerges) return true;
    // A list at this place of a vocabulary of another kind than BPE is skipped over as a value.
    if (depth_ == 3 && top_key_ == "model" && key_ == "merges") {
      part_ = Part::kMerges;
      return true;
    }
    return open(json::array());
  }

  bool end_array() override {
    --depth_;
    if (part_ == Part::kRest) return close();
    if (depth_ == 2) {
      part_ = Part::kRest;
      return true;
    }
    if (pair_.size() != 2) return fail("a merge is not a pair");
    std::pair<std::string, std::string> merge(std::move(pair_[0]), std::move(pair_[1]));
    pair_.clear();
    return add_merge(std::move(merge));
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return fail("not valid JSON at byte " + std::to_string(position));
  }

 private:
  enum class Part { kRest, kVocabulary, kMerges };

  bool fail(std::string text) {
    if (problem.empty()) problem = std::move(text);
    return false;
  }

  bool add_merge(std::pair<std::string, std::string> merge) {
    if (document.has_vocabulary) {
      document.encoding.add_merge(merge.first, merge.second);
    } else {
      early_merges_.push_back(std::move(merge));
    }
    return true;
  }

  // Puts a value where it belongs in the tree and returns it there.
  json* insert(json value) {
    if (open_.empty()) {
      document.rest = std::move(value);
      return &document.rest;
    }
    json& parent = *open_.back();
    if (!parent.is_array()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool add_value(json value) {
    if (part_ != Part::kRest) return fail("the vocabulary or the merges are of an unknown form");
    insert(std::move(value));
    return true;
  }
  bool open(json value) {
    // Pointers stay true: a container grows only while it is the last one here.
    open_.push_back(insert(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Part part_ = Part::kRest;
  std::size_t depth_ = 0;  // of objects and lists
  std::string top_key_, key_;
  std::vector<json*> open_;
  std::vector<std::string> pair_;
  BytePairEncoding::Merges early_merges_;  // that came before the vocabulary
};

}  // namespace

TokenizerDocument read_tokenizer_document(std::span<const std::byte> text,
                                          const std::filesystem::path& path) {
  DocumentReader reader;
  const char* begin = reinterpret_cast<const char*>(text.data());
  if (!json::sax_parse(begin, begin + text.size(), &reader))
    throw RequestError("tokenizer: '" + path.string() + "' is damaged (" + reader.problem +
                       "); fetch it again");
  return std::move(reader.document);
}

}  // namespace vecframe::models
