// The nodes of expression trees. Pure data: what a session resolved is here as facts, not as live
// objects.
#pragma once

#include <vecframe/expression.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "columnar/scalar_expression.h"
#include "columnar/schema.h"
#include "storage/relational.h"
#include "tensor/dtype.h"

namespace vecframe::plan {

/// Opens the engine of relational operations; only expressions that need it call this.
using RelationalSource = std::function<const storage::Relational&()>;

struct ColumnReference {
  std::string name;
};

struct LiteralValue {
  columnar::Literal value;
};

/// A call of a function of function_table.h, checked when a node over a schema is made.
struct FunctionCall {
  std::string name;
  std::vector<std::shared_ptr<const ExpressionNode>> arguments;
  std::map<std::string, columnar::Literal> options;  ///< all of them, defaults included
};

enum class EmbedFunction : std::uint8_t { kImage, kText };

/// What makes the embedder of a call, where a provider gave out something to hold on to: opaque
/// here, compared by its address.
class EmbedderHandle {
 public:
  virtual ~EmbedderHandle() = default;
  /// Whether its embedder has others compute; for explain().
  virtual bool is_async() const { return false; }
};

/// embed_image() or embed_text(), resolved: everything a worker needs to make the same embedder
/// again.
struct EmbedCall {
  EmbedFunction function = EmbedFunction::kImage;
  std::shared_ptr<const ExpressionNode> argument;
  std::string provider;
  std::string model;
  std::string model_fingerprint;  ///< a worker that finds another content refuses
  std::string precision;          ///< concrete, never "auto"
  std::string device;
  std::string pooling = "default";         ///< kImage
  std::optional<std::int64_t> image_size;  ///< kImage
  std::int64_t dimension = 0;              ///< of the column
  std::optional<std::int64_t> dimensions;  ///< as the user gave it
  bool normalize = false;
  tensor::DType element = tensor::DType::kF32;
  std::optional<std::int64_t> batch_size;
  std::optional<std::int64_t> concurrency;  ///< of embedders side by side, or requests in flight
  std::optional<std::int64_t> max_retries;
  std::optional<double> num_gpus;
  /// The provider's own that the user gave, without secrets.
  std::map<std::string, columnar::Literal> options;
  OnError on_error = OnError::kRaise;
  std::optional<std::string> error_column;
  /// Of this process; calls with different ones are different calls, whatever their texts. Null:
  /// made again from provider, model and options, as in a plan that comes from another process.
  std::shared_ptr<const EmbedderHandle> handle;
};

struct ExpressionNode {
  std::variant<ColumnReference, LiteralValue, FunctionCall, EmbedCall> value;
};

std::string to_string(const ExpressionNode& node);
/// A text that two expressions share only if they are the same: to_string(), and their handles.
std::string identity(const ExpressionNode& node);

/// Type of the expression over columns of `schema`. Throws RequestError: unknown column, unknown
/// function or option, or an argument of a wrong type. `relational` types comparisons, arithmetic
/// and logic.
columnar::DataType type_of(const ExpressionNode& node, const columnar::Schema& schema,
                           const RelationalSource& relational = {});

/// The column of that name. Throws RequestError that names the nearest one.
const columnar::Field& field_of(const columnar::Schema& schema, const std::string& name);

}  // namespace vecframe::plan
