// The public functions that make expressions: resolve, describe, and keep the facts in the plan.

#include <vecframe/error.h>
#include <vecframe/expression.h>
#include <vecframe/models.h>
#include <vecframe/session.h>

#include <utility>

#include "plan/expression_node.h"
#include "session/engine.h"
#include "session/local_models.h"
#include "session/provider_call.h"
#include "session/provider_options.h"
#include "session/resolution.h"

namespace vecframe {

Expression::Expression(std::shared_ptr<const plan::ExpressionNode> node) : node_(std::move(node)) {}

std::string Expression::to_string() const { return plan::to_string(*node_); }

Expression Expression::alias(std::string name) const {
  Expression named = *this;
  named.alias_ = std::move(name);
  return named;
}

std::optional<std::string> Expression::name() const {
  if (alias_) return alias_;
  const auto* column = std::get_if<plan::ColumnReference>(&node_->value);
  return column == nullptr ? std::nullopt : std::optional(column->name);
}

Expression col(std::string name) {
  return Expression(std::make_shared<plan::ExpressionNode>(
      plan::ExpressionNode{plan::ColumnReference{std::move(name)}}));
}

namespace {

tensor::DType parse_dtype(const std::string& name) {
  if (name == "float32") return tensor::DType::kF32;
  if (name == "float16") return tensor::DType::kF16;
  throw RequestError("dtype: '" + name + "' is not known; use float32 or float16");
}

// What can be refused before a model is looked for, or downloaded.
void check(const EmbedOptions& options) {
  parse_dtype(options.dtype);
  if (options.batch_size && *options.batch_size < 1) {
    throw RequestError("batch_size: " + std::to_string(*options.batch_size) +
                       " is not a number of rows; give 1 or more, or leave it out");
  }
  if (options.max_retries && *options.max_retries < 0) {
    throw RequestError("max_retries: " + std::to_string(*options.max_retries) +
                       " is not a number of tries; give 0 or more");
  }
  if (options.error_column && options.error_column->empty()) {
    throw RequestError("error_column: the name is empty; give one, or leave the option out");
  }
}

Expression make_call(plan::EmbedFunction function, const Expression& argument,
                     const EmbedOptions& options, const embed::EmbedderFacts& facts,
                     plan::EmbedCall call) {
  if (options.dimensions && (*options.dimensions < 1 || *options.dimensions > facts.dimension)) {
    throw RequestError("dimensions: " + std::to_string(*options.dimensions) +
                       " is out of range; the vectors of '" + facts.model + "' have " +
                       std::to_string(facts.dimension) + " values");
  }
  call.function = function;
  call.argument = argument.node();
  call.provider = facts.provider;
  call.model = facts.model;
  call.model_fingerprint = facts.model_fingerprint;
  call.dimensions = options.dimensions;
  call.dimension = options.dimensions.value_or(facts.dimension);
  call.normalize = options.normalize;
  call.element = parse_dtype(options.dtype);
  call.batch_size = options.batch_size;
  call.on_error = options.on_error;
  call.error_column = options.error_column;
  return Expression(std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{std::move(call)}));
}

// Of a model that this library runs.
Expression make_local_call(plan::EmbedFunction function, const Expression& argument,
                           const EmbedOptions& options, const embed::EmbedderFacts& facts,
                           plan::EmbedCall call = {}) {
  call.precision = tensor::to_string(facts.precision);
  call.device = options.device;
  call.concurrency = options.concurrency;
  call.num_gpus = options.num_gpus;
  return make_call(function, argument, options, facts, std::move(call));
}

Expression make_provider_call(plan::EmbedFunction function, const Expression& argument,
                              const EmbedOptions& options, exec::RowDescriptor descriptor,
                              const OptionValues& shown) {
  const embed::EmbedderFacts facts = session::facts_of(descriptor);
  return make_call(function, argument, options, facts,
                   session::provider_call(std::move(descriptor), options, shown));
}

void refuse_beside_descriptor(const EmbedOptions& options) {
  if (!options.provider && !options.provider_instance && !options.model && options.options.empty())
    return;
  throw RequestError(
      "descriptor: it stands in place of provider, model and options; leave these out");
}

// Fields that are words of the models this library runs, as options by name: other providers
// refuse them.
OptionValues local_words(const EmbedOptions& options) {
  OptionValues words = options.options;
  if (options.precision != "fp32") words.emplace("precision", options.precision);
  if (options.device != "auto") words.emplace("device", options.device);
  return words;
}
OptionValues local_words(const EmbedImageOptions& options) {
  OptionValues words = local_words(static_cast<const EmbedOptions&>(options));
  if (options.pooling != "default") words.emplace("pooling", options.pooling);
  if (options.image_size) words.emplace("image_size", *options.image_size);
  return words;
}

void check_local(const std::string& provider, const EmbedOptions& options) {
  session::check_replicas(options);
  if (options.on_cluster) return;
  if (options.concurrency)
    throw RequestError("concurrency: the models of '" + provider +
                       "' run on all threads of the run; choose their number when it is run, or "
                       "set a runner that has workers");
  if (options.num_gpus && *options.num_gpus != 0)
    throw RequestError("num_gpus: the models of '" + provider +
                       "' run where device says; give that, or set a runner that has workers");
}

const char* const kNotImplemented = " is not currently implemented for the '";

}  // namespace

Expression embed_image(Expression image, const EmbedImageOptions& given,
                       const DownloadOptions& download) {
  constexpr auto kFunction = plan::EmbedFunction::kImage;
  check(given);
  if (given.descriptor) {
    refuse_beside_descriptor(given);
    return make_provider_call(kFunction, image, given, given.descriptor, {});
  }
  const session::Resolution resolved = session::resolve(*Session::current().table(), given);
  const Provider& provider = *resolved.provider;
  const OptionValues words = local_words(given);
  session::check_options("embed_image", provider, words);
  if (const session::LocalModels* local = session::as_local(provider)) {
    check_local(provider.name(), given);
    EmbedImageOptions options = given;
    session::take_local_options(local->defaults(), options);
    const auto descriptor =
        session::Engine::instance().describe(provider.name(), resolved.model, options, download);
    plan::EmbedCall call;
    call.pooling = options.pooling;
    call.image_size = options.image_size;
    return make_local_call(kFunction, image, options, descriptor->facts(), std::move(call));
  }
  auto descriptor = provider.describe_pictures(
      {resolved.model, given.dimensions, words, given.concurrency, given.max_retries});
  if (descriptor == nullptr)
    throw RequestError("embed_image" + (kNotImplemented + provider.name()) + "' provider");
  return make_provider_call(kFunction, image, given, std::move(descriptor),
                            session::shown_options(provider, words));
}

Expression embed_text(Expression text, const EmbedTextOptions& given,
                      const DownloadOptions& download) {
  constexpr auto kFunction = plan::EmbedFunction::kText;
  check(given);
  if (given.descriptor) {
    refuse_beside_descriptor(given);
    return make_provider_call(kFunction, text, given, given.descriptor, {});
  }
  const session::Resolution resolved = session::resolve(*Session::current().table(), given);
  const Provider& provider = *resolved.provider;
  const OptionValues words = local_words(given);
  session::check_options("embed_text", provider, words);
  if (const session::LocalModels* local = session::as_local(provider)) {
    check_local(provider.name(), given);
    EmbedTextOptions options = given;
    session::take_local_options(local->defaults(), options);
    const auto descriptor = session::Engine::instance().describe_text(
        provider.name(), resolved.model, options, download);
    return make_local_call(kFunction, text, options, descriptor->facts());
  }
  auto descriptor = provider.describe_texts(
      {resolved.model, given.dimensions, words, given.concurrency, given.max_retries});
  if (descriptor == nullptr)
    throw RequestError("embed_text" + (kNotImplemented + provider.name()) + "' provider");
  return make_provider_call(kFunction, text, given, std::move(descriptor),
                            session::shown_options(provider, words));
}

std::vector<ModelInfo> list_models() { return session::Engine::instance().models(); }

ModelInfo describe_model(const EmbedImageOptions& given, const DownloadOptions& download) {
  const session::Resolution resolved = session::resolve(*Session::current().table(), given);
  const Provider& provider = *resolved.provider;
  const session::LocalModels* local = session::as_local(provider);
  if (local == nullptr)
    throw RequestError("provider: '" + provider.name() +
                       "' runs elsewhere, and nothing is known of its models; describe one of "
                       "'transformers' or 'builtin'");
  EmbedImageOptions options = given;
  session::check_options("describe_model", provider, local_words(options));
  session::take_local_options(local->defaults(), options);
  return session::Engine::instance().details(provider.name(), resolved.model, options, download);
}

}  // namespace vecframe
