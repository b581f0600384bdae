#include <vecframe/error.h>

#include <utility>

#include "job/embed_job.h"

namespace vecframe::job {
namespace {

using columnar::DataType;
using columnar::TypeKind;
using Source = OutputColumn::Source;

DataType type_of(Source source, std::int64_t dimension) {
  switch (source) {
    case Source::kEmbedding:
      return {TypeKind::kEmbedding, dimension};
    case Source::kWidth:
    case Source::kHeight:
      return {TypeKind::kUInt32, 0};
    case Source::kPath:
    case Source::kError:
    case Source::kFormat:
      break;
  }
  return {TypeKind::kString, 0};
}

}  // namespace

std::shared_ptr<const columnar::Schema> output_schema(const EmbedJob& job) {
  auto schema = std::make_shared<columnar::Schema>();
  for (const OutputColumn& column : job.columns) {
    if (column.name.empty()) continue;
    if (column.source == Source::kEmbedding && job.descriptor == nullptr) {
      throw RequestError("columns: '" + column.name + "' is an embedding, but no model is given");
    }
    const std::int64_t dimension =
        job.descriptor == nullptr ? 0 : job.descriptor->facts().dimension;
    schema->fields.push_back({column.name, type_of(column.source, dimension),
                              /*nullable=*/column.source != Source::kPath});
  }

  const auto add = [&](const char* key, std::string value) {
    schema->metadata.emplace_back(std::string("vecframe.") + key, std::move(value));
  };
  add("version", VECFRAME_VERSION);
  add("orientation", job.pipeline.apply_orientation ? "apply" : "ignore");
  if (job.descriptor != nullptr) {
    const embed::EmbedderFacts& facts = job.descriptor->facts();
    add("provider", facts.provider);
    add("model", facts.model);
    add("family", facts.family);
    if (!facts.revision.empty()) add("revision", facts.revision);
    if (!facts.licence.empty()) add("licence", facts.licence);
    add("model_fingerprint", facts.model_fingerprint);
    add("processor_fingerprint", facts.processor_fingerprint);
    add("precision", std::string(tensor::to_string(facts.precision)));
    add("normalize", job.pipeline.normalize ? "true" : "false");
    add("dimension", std::to_string(facts.dimension));
  }
  return schema;
}

}  // namespace vecframe::job
