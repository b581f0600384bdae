#include "job/table_sink.h"

#include <algorithm>
#include <string>
#include <utility>

namespace vecframe::job {

// What a writer holds besides the batches of its open row group: pages, dictionaries, the footer.
constexpr std::int64_t kWriterBytes = 2 << 20;

// A builder's buffers double, so while one grows it holds three times its values; the writer holds
// the batch before, once as it came and once encoded.
SinkMemory sink_memory(std::int64_t memory_limit) {
  const std::int64_t batch = std::clamp<std::int64_t>(memory_limit / 128, 64 << 10, 4 << 20);
  return {batch, 6 * batch + kWriterBytes};
}

TableSink::TableSink(std::shared_ptr<const columnar::Schema> schema,
                     std::vector<OutputColumn> columns, SinkMemory memory, Receiver receiver,
                     std::int64_t batch_rows)
    : schema_(std::move(schema)),
      columns_(std::move(columns)),
      memory_(memory),
      receiver_(std::move(receiver)),
      batch_rows_(batch_rows) {
  std::erase_if(columns_, [](const OutputColumn& column) { return column.name.empty(); });
  for (const columnar::Field& field : schema_->fields) builders_.emplace_back(field.type);
}

void TableSink::append(const OutputColumn& column, const exec::Row& row,
                       columnar::ColumnBuilder& builder) {
  using Source = OutputColumn::Source;
  const bool has_size = row.format.has_value();
  switch (column.source) {
    case Source::kPath:
      return builder.append(std::string_view(row.path));
    case Source::kText:
      return builder.append(std::string_view(row.text));
    case Source::kEmbedding:
      return row.error ? builder.append_null() : builder.append(row.embedding);
    case Source::kError:
      return row.error ? builder.append(std::string_view(row.error->to_string()))
                       : builder.append_null();
    case Source::kWidth:
      return has_size ? builder.append(row.width) : builder.append_null();
    case Source::kHeight:
      return has_size ? builder.append(row.height) : builder.append_null();
    case Source::kFormat:
      return has_size ? builder.append(to_string(*row.format)) : builder.append_null();
  }
}

void TableSink::write(const exec::Row& row) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    append(columns_[i], row, builders_[i]);
    bytes += builders_[i].bytes();
  }
  if (row.error) ++num_failed_;
  const bool full = !builders_.empty() && builders_.front().length() >= batch_rows_;
  if (full || bytes >= memory_.batch_bytes) flush();
}

void TableSink::flush() {
  if (builders_.empty() || builders_.front().length() == 0) return;
  receiver_(columnar::Batch(schema_, builders_), std::exchange(num_failed_, 0));
}

}  // namespace vecframe::job
