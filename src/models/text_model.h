// What the provider needs of a text tower: a cheap description, and the loaded network behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compute/backend.h"
#include "models/tokenizer/tokenizer.h"
#include "tensor/dtype.h"

namespace vecframe::models {

class Checkpoint;

/// A text tower with packed weights and its tokenizer. Shared by all streams of its backend.
class TextModel {
 public:
  virtual ~TextModel() = default;
  /// The ids the network takes for a text in UTF-8: special tokens put around it, truncated, padded
  /// where the padding is part of the model. Never empty and never longer than max_tokens.
  /// Thread-safe.
  virtual std::vector<TokenId> tokenize(std::string_view text) const = 0;
  /// Bytes that embed() takes from its stream and beside it for this many texts of max_tokens each.
  virtual std::int64_t activation_bytes(std::int64_t texts) const = 0;
  /// `out` receives a row for each text; `texts` as tokenize() made them. Texts do not influence
  /// each other.
  virtual void embed(compute::Stream& stream, std::span<const std::vector<TokenId>> texts,
                     std::span<float> out) const = 0;
};

/// What is known from config.json, the tensor headers and the tokenizer's files.
struct TextModelDescription {
  std::string family;
  std::int64_t dimension = 0;
  std::int64_t max_tokens = 0;  ///< of one text, special tokens included
  /// Of the text tower up to the embedding; the token table, of which rows are read as they are
  /// needed, is part of `parameters` only.
  std::int64_t parameters = 0;
  std::int64_t matrix_parameters = 0;  ///< those of them that are stored at the run's precision
  std::int64_t table_parameters = 0;   ///< of the token table
  double flops_per_text = 0;           ///< of max_tokens; see ImageModelDescription
  /// Texts of max_tokens that make a product tall enough for full speed on a processor core.
  std::int64_t efficient_batch = 1;
  /// Identity of the tokenizer's files and of how this project reads them.
  std::string tokenizer_fingerprint;
  std::function<std::unique_ptr<TextModel>(compute::Backend&, tensor::Precision)> load;
};

/// Whether describe_text_model() knows a text tower for this config; says nothing of the tensors.
bool has_text_tower(const Checkpoint& checkpoint);

/// Chooses the family by config.json. Throws RequestError that names the families there are, or
/// what of the tokenizer is missing or not understood.
TextModelDescription describe_text_model(const std::shared_ptr<const Checkpoint>& checkpoint);

}  // namespace vecframe::models
