#include "exec/row_evaluator.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "columnar/array_view.h"
#include "columnar/image_builder.h"
#include "columnar/integer_list.h"
#include "exec/image_calls.h"
#include "exec/prepare_row.h"
#include "image/convert.h"
#include "image/decode.h"
#include "image/orientation.h"
#include "image/reduce.h"
#include "plan/function_table.h"

namespace vecframe::exec {
namespace {

using columnar::TypeKind;
using image::Mode;

// A failed call gives null; the first cause is kept.
RowValue fail(RowOutcome& outcome, RowError error, Severity severity) {
  if (!outcome.cause) {
    outcome.cause = std::move(error);
    outcome.severity = severity;
  }
  return {};
}

Severity severity_of(const plan::FunctionCall& call) {
  const std::string& word = plan::text_option(call, "on_error");
  if (word == "raise") return Severity::kFatal;
  return word == "null" ? Severity::kNull : Severity::kDeferred;
}

// A picture of somebody else's table: its bytes must be what its size says.
Result<RowValue> copy_picture(const columnar::ImageView& view) {
  if (view.mode < 1 || view.mode > static_cast<std::uint8_t>(Mode::kRGBA))
    return RowError{Stage::kDecode, ErrorCode::kUnsupported,
                    "a stored picture of mode " + std::to_string(view.mode) +
                        "; there are 1 (L), 2 (LA), 3 (RGB) and 4 (RGBA)"};
  const auto channels = static_cast<std::uint64_t>(columnar::channels_of(view.mode));
  const std::uint64_t row_bytes = std::uint64_t{view.width} * channels;  // below 2^34
  const std::uint64_t size = view.pixels.size();
  const bool fits = row_bytes == 0 || view.height == 0
                        ? size == 0
                        : size % row_bytes == 0 && size / row_bytes == view.height;
  if (!fits)
    return RowError{Stage::kDecode, ErrorCode::kCorrupt,
                    "a stored picture of " + std::to_string(view.width) + "x" +
                        std::to_string(view.height) + " has " + std::to_string(size) + " bytes"};
  image::Image picture(static_cast<Mode>(view.mode), {view.width, view.height});
  std::copy(view.pixels.begin(), view.pixels.end(), picture.pixels().begin());
  return RowValue(std::move(picture));
}

// Where it ends the run, in the words that users of the reference dataframe look for.
RowError undecodable(RowError error, Severity severity) {
  if (severity == Severity::kFatal)
    error.message = "Decoding image from bytes failed: " + error.message;
  return error;
}

RowError over_budget(Stage stage, const std::string& what) {
  return {stage, ErrorCode::kOverBudget, what + " needs more memory than memory_limit leaves"};
}

// The 8-bit modes are those that a column of pictures can hold.
bool is_storable(Mode mode) { return mode <= Mode::kRGBA; }

}  // namespace

RowEvaluator::RowEvaluator(std::shared_ptr<const plan::ExpressionNode> node,
                           const columnar::Schema& schema, const EvaluationLimits& limits,
                           const image::PrepareSpec* prepare)
    : node_(std::move(node)), schema_(schema), limits_(limits), prepare_(prepare) {
  const auto* call = std::get_if<plan::FunctionCall>(&node_->value);
  for (; call != nullptr && call->name != "decode_image";
       call = std::get_if<plan::FunctionCall>(&call->arguments.front()->value))
    if (call->name == "resize") resize_ = call;
}

template <class Evaluate>
auto RowEvaluator::guarded(RowOutcome& outcome, const Evaluate& evaluate) const
    -> decltype(evaluate()) {
  try {
    return evaluate();
  } catch (const std::bad_alloc&) {
    fail(outcome,
         {Stage::kPrepare, ErrorCode::kOverBudget,
          "the operating system refused the memory for this row"},
         Severity::kDeferred);
    return {};
  }
}

RowValue RowEvaluator::evaluate(const columnar::Morsel& morsel, std::int64_t row,
                                RowOutcome& outcome, RowCredit& credit) const {
  return guarded(outcome, [&] { return value_of(*node_, morsel, row, outcome, credit); });
}

const plan::FunctionCall* RowEvaluator::decoding() const {
  const auto* call = std::get_if<plan::FunctionCall>(&node_->value);
  return call != nullptr && call->name == "decode_image" ? call : nullptr;
}

RowValue RowEvaluator::evaluate_encoded(const columnar::Morsel& morsel, std::int64_t row,
                                        RowOutcome& outcome, RowCredit& credit) const {
  return guarded(outcome, [&] {
    return value_of(*decoding()->arguments.front(), morsel, row, outcome, credit);
  });
}

RowValue RowEvaluator::evaluate_decoded(RowValue encoded, RowOutcome& outcome,
                                        RowCredit& credit) const {
  return guarded(outcome, [&] { return decode(*decoding(), std::move(encoded), outcome, credit); });
}

bool RowEvaluator::prepares() const {
  const plan::FunctionCall* call = decoding();
  return call != nullptr && prepare_ != nullptr && plan::text_option(*call, "mode") == "RGB";
}

bool RowEvaluator::prepare_encoded(RowValue encoded, std::span<std::uint8_t> slot,
                                   RowOutcome& outcome, RowCredit& credit) const {
  return guarded(outcome, [&] {
    return prepare(std::get<RowBytes>(std::move(encoded)), slot, outcome, credit);
  });
}

bool RowEvaluator::prepare(RowBytes bytes, std::span<std::uint8_t> slot, RowOutcome& outcome,
                           RowCredit& credit) const {
  const plan::FunctionCall& call = *decoding();
  const Severity severity = severity_of(call);
  const Result<image::ImageInfo> info = probe(call, bytes);
  if (!info) {
    fail(outcome, undecodable(info.error(), severity), severity);
    return false;
  }
  const bool upright = plan::flag_option(call, "apply_orientation");
  const std::int64_t needed = working_bytes(*info, *prepare_, upright);
  if (!reserve_picture(bytes, needed, outcome, severity, credit)) return false;
  const Gate::Pass pass = limits_.enter_preparing();
  const StageClock::Scope scope(limits_.counters->prepare);
  const Status status = prepare_row(bytes.view, *info, *prepare_, upright, slot);
  if (status) {
    ++limits_.counters->rows_prepared;
  } else if (status.error().stage == Stage::kDecode) {
    fail(outcome, undecodable(status.error(), severity), severity);
  } else {
    fail(outcome, status.error(), Severity::kDeferred);
  }
  return static_cast<bool>(status);
}

RowValue RowEvaluator::value_of(const plan::ExpressionNode& node, const columnar::Morsel& morsel,
                                std::int64_t row, RowOutcome& outcome, RowCredit& credit) const {
  if (const auto* column = std::get_if<plan::ColumnReference>(&node.value))
    return column_value(column->name, morsel, row, outcome);
  if (const auto* literal = std::get_if<plan::LiteralValue>(&node.value)) {
    const auto* text = std::get_if<std::string>(&literal->value);
    return text == nullptr ? RowValue() : RowValue(std::string_view(*text));
  }
  const auto& call = std::get<plan::FunctionCall>(node.value);
  RowValue argument = value_of(*call.arguments.front(), morsel, row, outcome, credit);
  if (is_null(argument)) return {};
  if (call.name == "download") return download(call, std::move(argument), outcome, credit);
  if (call.name == "decode_image") return decode(call, std::move(argument), outcome, credit);
  if (call.name.starts_with("header_")) return header(call, std::move(argument), outcome);
  RowValue second;
  if (call.arguments.size() > 1) {
    second = value_of(*call.arguments[1], morsel, row, outcome, credit);
    if (is_null(second)) return {};
  }
  const Gate::Pass pass = limits_.enter_preparing();
  const StageClock::Scope scope(limits_.counters->prepare);
  Result<RowValue> result = call_image_function(
      call, std::get<image::Image>(std::move(argument)), second,
      call.name == "resize" ? std::exchange(outcome.whole, std::nullopt) : std::nullopt);
  if (!result) return fail(outcome, std::move(result).error(), Severity::kDeferred);
  return std::move(result).value();
}

RowValue RowEvaluator::column_value(const std::string& name, const columnar::Morsel& morsel,
                                    std::int64_t row, RowOutcome& outcome) const {
  const int index = schema_.find(name);
  const columnar::DataType& type = schema_.fields[static_cast<std::size_t>(index)].type;
  const ArrowArray& array = *morsel.columns[static_cast<std::size_t>(index)];
  if (!columnar::is_valid(array, row)) return {};
  switch (type.kind) {
    case TypeKind::kString:
      return columnar::text_at(array, row, type);
    case TypeKind::kBinary: {
      const std::string_view bytes = columnar::text_at(array, row, type);
      return RowBytes{{reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, {}, {}};
    }
    case TypeKind::kImage: {
      Result<RowValue> picture = copy_picture(columnar::image_at(array, row, type.image));
      if (!picture) return fail(outcome, std::move(picture).error(), Severity::kDeferred);
      return std::move(picture).value();
    }
    case TypeKind::kEmbedding: {
      std::vector<float> scratch;
      const auto values = columnar::embedding_at(array, row, type, scratch);
      return std::vector<float>(values.begin(), values.end());
    }
    case TypeKind::kUInt32:
      return columnar::uint32_at(array, row);
    case TypeKind::kBoolean:
    case TypeKind::kInt64:
    case TypeKind::kFloat64:
      break;
    case TypeKind::kOther:
      if (!columnar::is_integer_list(type)) break;
      if (auto numbers = columnar::integers_at(array, row, type)) return std::move(*numbers);
      break;
  }
  return {};
}

RowValue RowEvaluator::download(const plan::FunctionCall& call, RowValue location,
                                RowOutcome& outcome, RowCredit& credit) const {
  outcome.source = std::get<std::string_view>(location);
  RowBytes value;
  value.location = outcome.source;
  credit.release();
  bool too_large = false;
  const Reserve reserve = [&](std::int64_t size) {
    const StageClock::Pause pause(limits_.counters->read, limits_.counters->read_wait);
    too_large = size > limits_.budget.capacity();
    if (!too_large) credit.file = limits_.budget.acquire(size, limits_.stopping);
    return static_cast<bool>(credit.file);
  };
  Result<std::vector<std::byte>> bytes = limits_.connections->within<std::vector<std::byte>>(
      &call, plan::integer_option(call, "max_connections"), limits_.stopping, [&] {
        const Gate::Pass pass =
            limits_.reading ? limits_.reading->enter(limits_.stopping) : Gate::Pass();
        const StageClock::Scope scope(limits_.counters->read);
        return limits_.fetch(value.location, reserve);
      });
  if (too_large) return fail(outcome, over_budget(Stage::kRead, "the file"), severity_of(call));
  if (!bytes) return fail(outcome, std::move(bytes).error(), severity_of(call));
  value.owned = std::move(bytes).value();
  value.view = value.owned;
  ++limits_.counters->rows_read;
  limits_.counters->bytes_read += static_cast<std::int64_t>(value.owned.size());
  return value;
}

// Credit for the picture of these bytes; see the class.
bool RowEvaluator::reserve_picture(RowBytes& bytes, std::int64_t needed, RowOutcome& outcome,
                                   Severity severity, RowCredit& credit) const {
  const std::int64_t held = credit.file.bytes();
  if (needed > limits_.budget.capacity() - held) {
    fail(outcome, over_budget(Stage::kDecode, "this picture"), severity);
    return false;
  }
  credit.picture = limits_.budget.try_acquire(needed);
  if (credit.picture) return true;
  bytes.owned = {};
  credit.release();
  {
    const StageClock::Scope waiting(limits_.counters->prepare_wait);
    credit.picture = limits_.budget.acquire(needed + held, limits_.stopping);
  }
  if (!credit.picture) return false;
  if (bytes.location.empty()) return true;
  Result<std::vector<std::byte>> again =
      limits_.fetch(bytes.location, [&](std::int64_t size) { return size <= held; });
  if (!again) {
    fail(outcome, std::move(again).error(), severity);
    return false;
  }
  bytes.owned = std::move(again).value();
  bytes.view = bytes.owned;
  return true;
}

RowValue RowEvaluator::header(const plan::FunctionCall& call, RowValue value,
                              RowOutcome& outcome) const {
  const auto bytes = std::get<RowBytes>(std::move(value));
  const Result<image::ImageInfo> info = image::probe(bytes.view, limits_.decode);
  if (!info) return fail(outcome, info.error(), Severity::kNull);
  if (call.name == "header_format") return image::to_string(info->format);
  const image::Size size = plan::flag_option(call, "apply_orientation")
                               ? image::oriented_size(info->size, info->orientation)
                               : info->size;
  return call.name == "header_width" ? size.width : size.height;
}

// What is decoded of the picture; plan/function_table.cc lets none through that is reduced without
// a size to be resized to.
Result<image::ImageInfo> RowEvaluator::probe(const plan::FunctionCall& call,
                                             const RowBytes& bytes) const {
  Result<image::ImageInfo> info = image::probe(bytes.view, limits_.decode);
  if (!info || !plan::flag_option(call, "fast_decode")) return info;
  const image::Size size =
      image::whole_of(*info, plan::flag_option(call, "apply_orientation")).size;
  if (resize_ != nullptr) return image::reduced(*info, shrink_of_resize(*resize_, size));
  return prepare_ == nullptr ? info : image::reduced(*info, image::shrink_of(*prepare_, size));
}

RowValue RowEvaluator::decode(const plan::FunctionCall& call, RowValue value, RowOutcome& outcome,
                              RowCredit& credit) const {
  auto bytes = std::get<RowBytes>(std::move(value));
  const Severity severity = severity_of(call);
  const Result<image::ImageInfo> probed = probe(call, bytes);
  if (!probed) return fail(outcome, undecodable(probed.error(), severity), severity);
  const image::ImageInfo& info = *probed;
  const bool upright = plan::flag_option(call, "apply_orientation");
  if (info.eighths != 8) outcome.whole = image::whole_of(info, upright);
  // The decoder's peak, or a picture of 8 bytes a pixel and what it is turned or converted into.
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 4;
  const image::Size size = info.decoded_size();
  const std::uint64_t pixels = std::uint64_t{size.width} * size.height;
  const std::uint64_t needed =
      std::max(std::min(info.decode_bytes, kMost), std::min(pixels, kMost / 16) * 16);
  if (!reserve_picture(bytes, static_cast<std::int64_t>(needed), outcome, severity, credit))
    return {};
  const Gate::Pass pass = limits_.enter_preparing();
  const StageClock::Scope scope(limits_.counters->prepare);
  Result<image::Image> decoded = image::decode(bytes.view, info);
  bytes.owned = {};
  credit.file.release();
  if (!decoded) return fail(outcome, undecodable(std::move(decoded).error(), severity), severity);
  ++limits_.counters->rows_prepared;
  image::Image picture = std::move(decoded).value();
  if (upright) picture = image::apply_orientation(std::move(picture), info.orientation);
  const std::string& mode = plan::text_option(call, "mode");
  if (!mode.empty()) return image::convert(std::move(picture), mode_of(mode));
  if (is_storable(picture.mode())) return picture;
  return fail(outcome,
              {Stage::kDecode, ErrorCode::kUnsupported,
               "a picture of 16 bits cannot be stored as it is; give decode_image a mode"},
              severity);
}

}  // namespace vecframe::exec
