// The text of a tokenizer.json, read as a stream: vocabularies have hundreds of thousands of
// entries and merges, which would take ten times the file's size as a tree.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "models/tokenizer/byte_pair_encoding.h"

namespace vecframe::models {

struct TokenizerDocument {
  nlohmann::json rest;        ///< everything but model.vocab and model.merges
  BytePairEncoding encoding;  ///< those two, where the vocabulary is an object of ids
  bool has_vocabulary = false;
};

/// Throws RequestError that names `path` if the text is not JSON, nests deeply, or has a vocabulary
/// or merges of another form.
TokenizerDocument read_tokenizer_document(std::span<const std::byte> text,
                                          const std::filesystem::path& path);

}  // namespace vecframe::models
