// The build without sentencepiece.

#include <vecframe/error.h>

#include "models/tokenizer/sentencepiece_tokenizer.h"

namespace vecframe::models {

std::unique_ptr<Tokenizer> read_sentencepiece_tokenizer(const std::filesystem::path& path,
                                                        const TokenizerSettings&) {
  throw RequestError(
      "tokenizer: '" + path.string() +
      "' needs sentencepiece, without which this was built (VECFRAME_SENTENCEPIECE); "
      "images can be embedded with this model, texts cannot");
}

}  // namespace vecframe::models
