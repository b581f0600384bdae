#include <vecframe/error.h>

#include <utility>

#include "job/embed_job.h"

namespace vecframe::job {
namespace {

using columnar::DataType;
using columnar::TypeKind;
using Source = OutputColumn::Source;

DataType type_of(Source source, std::int64_t dimension, tensor::DType element) {
  switch (source) {
    case Source::kEmbedding:
      return {TypeKind::kEmbedding, dimension, element};
    case Source::kWidth:
    case Source::kHeight:
      return {TypeKind::kUInt32, 0};
    case Source::kPath:
    case Source::kText:
    case Source::kError:
    case Source::kFormat:
      break;
  }
  return {TypeKind::kString, 0};
}

}  // namespace

std::shared_ptr<const columnar::Schema> output_schema(const EmbedJob& job) {
  auto schema = std::make_shared<columnar::Schema>();
  const embed::EmbedderFacts* facts = facts_of(job);
  const exec::VectorForm& form = job.pipeline.vector;
  const std::int64_t dimension = facts == nullptr ? 0 : form.kept(facts->dimension);
  for (const OutputColumn& column : job.columns) {
    if (column.name.empty()) continue;
    if (column.source == Source::kEmbedding && facts == nullptr) {
      throw RequestError("columns: '" + column.name + "' is an embedding, but no model is given");
    }
    const bool input = column.source == Source::kPath || column.source == Source::kText;
    schema->fields.push_back({column.name, type_of(column.source, dimension, form.element),
                              /*nullable=*/!input});
  }

  const auto add = [&](const char* key, std::string value) {
    schema->metadata.emplace_back(std::string("vecframe.") + key, std::move(value));
  };
  add("version", VECFRAME_VERSION);
  if (job.texts.empty()) add("orientation", job.pipeline.apply_orientation ? "apply" : "ignore");
  if (facts != nullptr) {
    add("provider", facts->provider);
    add("model", facts->model);
    add("family", facts->family);
    if (!facts->revision.empty()) add("revision", facts->revision);
    if (!facts->licence.empty()) add("licence", facts->licence);
    add("model_fingerprint", facts->model_fingerprint);
    add("processor_fingerprint", facts->processor_fingerprint);
    add("precision", std::string(tensor::to_string(facts->precision)));
    add("normalize", form.normalize ? "true" : "false");
    if (!facts->pooling.empty()) add("pooling", facts->pooling);
    if (job.pipeline.fast_decode) add("fast_decode", exec::kFastDecode);
    add("dimension", std::to_string(dimension));
  }
  return schema;
}

}  // namespace vecframe::job
