// Expressions: what a column of a dataframe is computed from.
#pragma once

#include <vecframe/download.h>
#include <vecframe/export.h>
#include <vecframe/value.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vecframe {

// provider.h has them.
struct Picture;
class Provider;
template <class Input>
class EmbedderDescriptor;

namespace plan {
struct ExpressionNode;
}

/// An immutable expression tree; copies share it.
class VECFRAME_API Expression {
 public:
  explicit Expression(std::shared_ptr<const plan::ExpressionNode> node);
  const std::shared_ptr<const plan::ExpressionNode>& node() const { return node_; }
  /// As `explain` prints it: `embed_image(col("image"), model="builtin:efficientnet-lite0")`.
  std::string to_string() const;

  /// As JSON, with its name, for from_json() in this or another process of the same release. Throws
  /// RequestError if it is nested too deep.
  std::string to_json() const;
  /// Throws RequestError for what to_json() did not make; the text may come from strangers.
  static Expression from_json(const std::string& json);

  /// The same expression under a name that select() gives to its column.
  Expression alias(std::string name) const;
  /// That of alias(), else of the column it refers to; nothing for any other expression.
  std::optional<std::string> name() const;

 private:
  std::shared_ptr<const plan::ExpressionNode> node_;
  std::optional<std::string> alias_;
};

/// The column of that name.
VECFRAME_API Expression col(std::string name);

/// What becomes of a bad row. Always one row, never its batch.
enum class OnError : std::uint8_t {
  kRaise,   ///< the run stops with a RunError that names the row; nothing is written
  kLog,     ///< null vector, cause in the error column, and a call of RunOptions::on_failure
  kIgnore,  ///< null vector, cause in the error column
};

/// What embed_image() and embed_text() have in common.
struct EmbedOptions {
  /// Explicit, else the session's, else $VECFRAME_PROVIDER, else "transformers".
  std::optional<std::string> provider;
  /// In place of a name: a provider that need not be attached.
  std::shared_ptr<const Provider> provider_instance;
  /// A directory of safetensors, `builtin:NAME` or a hub id, or whatever the provider calls its
  /// models. Explicit, else the session's, else $VECFRAME_MODEL, else the provider's default.
  std::optional<std::string> model;
  /// The first so many values of each vector; by default all. For models that were trained so that
  /// the beginning of a vector is a vector too.
  std::optional<std::int64_t> dimensions;
  /// Divide each vector, or what `dimensions` keeps of it, by its L2 norm.
  bool normalize = false;
  /// Element type of the column: "float32" or "float16".
  std::string dtype = "float32";
  /// "fp32", "bf16", "int8" on processors, "fp16" on GPUs, or "auto": bf16 where the device has it
  /// and the family was measured to bear it, else fp32; resolved when the plan is built.
  std::string precision = "fp32";
  /// "auto", "cpu", "cuda" for every GPU, "cuda:1", "cuda:0,2", "reference".
  std::string device = "auto";
  /// Rows a batch; by default chosen from the memory limit, or by the provider.
  std::optional<std::int64_t> batch_size;
  /// Of providers that are called: embedders side by side, or requests in flight. On a cluster:
  /// workers, each with an embedder.
  std::optional<std::int64_t> concurrency;
  /// After a failure that may pass; 3 unless the provider says otherwise. Others are final.
  std::optional<std::int64_t> max_retries;
  /// For each embedder; more than this machine has is a RequestError.
  std::optional<double> num_gpus;
  /// Workers of a cluster will run the plan: whoever starts them looks at what GPUs there are, and
  /// `concurrency` and `num_gpus` are for every provider.
  bool on_cluster = false;
  /// The provider's own, by name. Those of "transformers" may be given here or as fields.
  std::map<std::string, Value> options;
  OnError on_error = OnError::kRaise;
  /// Adds a second column of this name with `stage/code: message` for rows that failed, null for
  /// those that did not.
  std::optional<std::string> error_column;
};

struct EmbedImageOptions : EmbedOptions {
  /// "default": the vector that the reference implementation gives. "cls": the class token after
  /// the final norm; "mean": the mean of the patches after it; both without pooler and projection.
  std::string pooling = "default";
  /// Side of the square picture that goes into the model, in place of its processor's; positions
  /// are interpolated.
  std::optional<std::int64_t> image_size;
  /// In place of provider and model: what makes the embedder.
  std::shared_ptr<const EmbedderDescriptor<Picture>> descriptor;
};

struct EmbedTextOptions : EmbedOptions {
  /// In place of provider and model: what makes the embedder.
  std::shared_ptr<const EmbedderDescriptor<std::string_view>> descriptor;
};

/// Embedding vectors of an image column: Embedding[dtype; dimension of the model]. Null images stay
/// null. Resolves and checks the model at once (no weights are read), so a wrong name or option
/// throws RequestError here. A model of the hub that is not in the cache is downloaded first, as
/// `download` says.
VECFRAME_API Expression embed_image(Expression image, const EmbedImageOptions& options = {},
                                    const DownloadOptions& download = {});

/// Embedding vectors of a column of texts by the text tower of the model, in the same space as
/// those of its pictures. As embed_image(); a model without a text tower throws RequestError.
VECFRAME_API Expression embed_text(Expression text, const EmbedTextOptions& options = {},
                                   const DownloadOptions& download = {});

}  // namespace vecframe
