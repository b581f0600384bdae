// A model that stays loaded, for a query that wants its answer soon.
#pragma once

#include <vecframe/download.h>
#include <vecframe/export.h>
#include <vecframe/expression.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe {

/// Embeds one picture or one text at a time, which takes every core, layer by layer: the way of a
/// search box, not of a million rows. The vectors are those of embed_image() and embed_text(), to
/// the bit. Copies share the model. Thread-safe; threads wait for one another.
class VECFRAME_API LoadedModel {
 public:
  /// Resolves the options and reads the weights of the pictures' tower (of a model without one, the
  /// texts'); those of the other are read when the first text comes. What a row would need
  /// (on_error, error_column, batch_size) does not count. `threads` 0: one a processor. Throws
  /// RequestError, and Cancelled where `download` says so.
  explicit LoadedModel(const EmbedImageOptions& options = {}, int threads = 0,
                       const DownloadOptions& download = {});
  ~LoadedModel();
  LoadedModel(const LoadedModel&);
  LoadedModel& operator=(const LoadedModel&);

  /// Length of the vectors.
  std::int64_t dimension() const;
  /// Of an encoded file, stood upright as its EXIF says. Throws RequestError, as `stage/code:
  /// message`, for a file that a run would report as a failed row.
  std::vector<float> embed_image(std::span<const std::byte> encoded) const;
  /// Of UTF-8. Throws RequestError, too, if the model has no tower for texts.
  std::vector<float> embed_text(std::string_view text) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vecframe
