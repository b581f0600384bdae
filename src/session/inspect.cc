// A look into an output: facts from the footer, failures, and a few nearest neighbours.

#include <fmt/format.h>
#include <vecframe/error.h>
#include <vecframe/inspect.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "columnar/array_view.h"
#include "search/nearest_rows.h"
#include "session/parquet_files.h"
#include "session/table_module.h"

namespace vecframe {
namespace session {
namespace {

// One row as inspect() sees it; spans and views are valid during the visit only.
struct RowView {
  std::int64_t index = 0;
  std::string_view path;
  std::optional<std::string_view> error;
  std::optional<std::span<const float>> embedding;
};

// Releases what Arrow C structs hold, also when a visit throws.
struct StreamHolder {
  ArrowArrayStream stream{};
  ~StreamHolder() {
    if (stream.release != nullptr) stream.release(&stream);
  }
};
struct ArrayHolder {
  ArrowArray array{};
  ~ArrayHolder() {
    if (array.release != nullptr) array.release(&array);
  }
};

// Of use to the next run alone.
bool is_bookkeeping(const std::string& key) {
  for (const char* name : {"keys", "recipe", "texts", "inputs", "shard"})
    if (key == std::string("vecframe.") + name) return true;
  return false;
}

class Table {
 public:
  explicit Table(const std::string& path) {
    for (const std::string& file : parquet_files(path))
      readers_.push_back(table_module().open_parquet(file));
    for (const auto& reader : readers_) {
      rows_ += reader->facts().num_rows;
      if (reader->facts().schema.fields != readers_.front()->facts().schema.fields) {
        throw RequestError("'" + path + "' holds files of different schemas; give one of them");
      }
    }
    const columnar::Schema& schema = readers_.front()->facts().schema;
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const columnar::Field& field = schema.fields[i];
      if (field.type.kind == columnar::TypeKind::kEmbedding && embedding_.empty()) {
        embedding_ = field.name;
        type_ = field.type;
      }
      if (field.type.kind != columnar::TypeKind::kString) continue;
      if (field.name == "path" || (field.name == "text" && label_.empty())) label_ = field.name;
      if (field.name == "error") error_ = field.name;
    }
  }

  const storage::TableFacts& facts() const { return readers_.front()->facts(); }
  std::int64_t rows() const { return rows_; }
  std::int64_t dimension() const { return type_.dimension; }

  void for_each(bool with_embedding, const std::function<void(const RowView&)>& visit) const {
    std::vector<std::string> names;
    const auto want = [&](const std::string& name) {
      if (name.empty()) return -1;
      names.push_back(name);
      return static_cast<int>(names.size()) - 1;
    };
    const int label = want(label_), error = want(error_),
              embedding = want(with_embedding ? embedding_ : "");
    if (names.empty()) return;
    RowView row;
    std::vector<float> scratch;
    for (const auto& reader : readers_) {
      StreamHolder holder;
      reader->open_stream(names, &holder.stream);
      while (true) {
        ArrayHolder batch;
        if (holder.stream.get_next(&holder.stream, &batch.array) != 0) {
          throw RunError(std::string("reading stopped: ") +
                         holder.stream.get_last_error(&holder.stream));
        }
        if (batch.array.release == nullptr) break;
        const auto child = [&](int i) -> const ArrowArray& { return *batch.array.children[i]; };
        for (std::int64_t r = 0; r < batch.array.length; ++r, ++row.index) {
          row.path = label >= 0 && columnar::is_valid(child(label), r)
                         ? columnar::string_at(child(label), r)
                         : "";
          row.error.reset();
          if (error >= 0 && columnar::is_valid(child(error), r))
            row.error = columnar::string_at(child(error), r);
          row.embedding.reset();
          if (embedding >= 0 && columnar::is_valid(child(embedding), r)) {
            row.embedding = columnar::embedding_at(child(embedding), r, type_, scratch);
          }
          visit(row);
        }
      }
    }
  }

 private:
  std::vector<std::unique_ptr<storage::TableReader>> readers_;
  std::string label_, error_, embedding_;
  columnar::DataType type_;  // of embedding_
  std::int64_t rows_ = 0;
};

// The first row with a vector at or after each of `count` evenly spread positions.
void pick_queries(const Table& table, int count, std::vector<std::int64_t>& rows,
                  std::vector<float>& vectors, TableSummary& summary) {
  table.for_each(true, [&](const RowView& row) {
    const auto chosen = static_cast<std::int64_t>(rows.size());
    if (chosen >= count || !row.embedding || row.index * count < chosen * table.rows()) return;
    rows.push_back(row.index);
    vectors.insert(vectors.end(), row.embedding->begin(), row.embedding->end());
    summary.queries.push_back({std::string(row.path), {}});
  });
}

void find_neighbours(const Table& table, const InspectOptions& options, TableSummary& summary) {
  std::vector<std::int64_t> query_rows;
  std::vector<float> vectors;
  pick_queries(table, options.queries, query_rows, vectors, summary);
  if (query_rows.empty()) return;
  const auto dimension = static_cast<std::size_t>(table.dimension());
  const auto wanted = static_cast<std::size_t>(options.neighbours);
  search::NearestRows nearest(vectors, dimension, wanted + 1);  // + 1: a row is its own neighbour
  table.for_each(true, [&](const RowView& row) {
    if (row.embedding) nearest.add(row.index, *row.embedding);
  });
  std::map<std::int64_t, std::string> paths;  // of the hits only
  std::vector<std::vector<search::Hit>> hits;
  for (std::size_t q = 0; q < query_rows.size(); ++q) {
    std::vector<search::Hit> others = nearest.hits(q);
    std::erase_if(others, [&](const search::Hit& hit) { return hit.row == query_rows[q]; });
    others.resize(std::min(others.size(), wanted));
    for (const search::Hit& hit : others) paths[hit.row];
    hits.push_back(std::move(others));
  }
  table.for_each(false, [&](const RowView& row) {
    if (auto known = paths.find(row.index); known != paths.end()) known->second = row.path;
  });
  for (std::size_t q = 0; q < hits.size(); ++q) {
    for (const search::Hit& hit : hits[q])
      summary.queries[q].neighbours.push_back({paths[hit.row], hit.similarity});
  }
}

}  // namespace
}  // namespace session

TableSummary inspect(const std::string& path, const InspectOptions& options) {
  if (options.queries < 0 || options.neighbours < 0) {
    throw RequestError("inspect: the numbers of queries and neighbours cannot be negative");
  }
  const session::Table table(path);
  TableSummary summary;
  const storage::TableFacts& facts = table.facts();
  for (std::size_t i = 0; i < facts.schema.fields.size(); ++i) {
    summary.columns.push_back({facts.schema.fields[i].name, facts.type_names[i]});
  }
  for (const auto& [key, value] : facts.schema.metadata) {
    if (key.starts_with("vecframe.") && !session::is_bookkeeping(key))
      summary.metadata.emplace_back(key, value);
  }
  summary.rows = table.rows();
  summary.dimension = table.dimension();
  table.for_each(false, [&](const session::RowView& row) {
    if (!row.error) return;
    ++summary.failed;
    ++summary.failures[std::string(row.error->substr(0, row.error->find(':')))];
  });
  if (table.dimension() > 0 && options.queries > 0)
    session::find_neighbours(table, options, summary);
  return summary;
}

std::string TableSummary::to_text() const {
  std::string text = fmt::format("rows       {}\nfailed     {}\n", rows, failed);
  for (const auto& [cause, count] : failures) text += fmt::format("  {:<24} {}\n", cause, count);
  text += "columns\n";
  for (const ColumnInfo& column : columns)
    text += fmt::format("  {:<24} {}\n", column.name, column.type);
  if (!metadata.empty()) text += "metadata\n";
  for (const auto& [key, value] : metadata) text += fmt::format("  {:<32} {}\n", key, value);
  if (!queries.empty()) text += "nearest neighbours (cosine)\n";
  for (const NeighbourQuery& query : queries) {
    text += fmt::format("  {}\n", query.path);
    for (const Neighbour& neighbour : query.neighbours) {
      text += fmt::format("    {:.4f}  {}\n", neighbour.similarity, neighbour.path);
    }
  }
  return text;
}

std::string TableSummary::to_json() const {
  using nlohmann::ordered_json;
  ordered_json json;
  json["rows"] = rows;
  json["failed"] = failed;
  json["failures"] = failures;
  json["dimension"] = dimension;
  for (const ColumnInfo& column : columns)
    json["columns"].push_back({{"name", column.name}, {"type", column.type}});
  json["metadata"] = ordered_json::object();
  for (const auto& [key, value] : metadata) json["metadata"][key] = value;
  json["neighbours"] = ordered_json::array();
  for (const NeighbourQuery& query : queries) {
    ordered_json found = ordered_json::array();
    for (const Neighbour& neighbour : query.neighbours) {
      found.push_back({{"path", neighbour.path}, {"similarity", neighbour.similarity}});
    }
    json["neighbours"].push_back({{"path", query.path}, {"neighbours", found}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace vecframe
