#include "session/table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "columnar/array_view.h"
#include "columnar/image_builder.h"

namespace vecframe::session {
namespace {

constexpr std::size_t kMaxCell = 40;  // characters

// Characters, not bytes, of UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

// The end of a path says more than its beginning, so that is what stays.
std::string shortened(std::string_view text) {
  if (width_of(text) <= kMaxCell) return std::string(text);
  std::size_t begin = text.size() - (kMaxCell - 3);
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;
  return "..." + std::string(text.substr(begin));
}

template <class T>
T number_at(const ArrowArray& array, std::int64_t row) {
  return static_cast<const T*>(array.buffers[1])[array.offset + row];
}

bool boolean_at(const ArrowArray& array, std::int64_t row) {
  const std::int64_t bit = array.offset + row;
  return (static_cast<const std::uint8_t*>(array.buffers[1])[bit / 8] >> (bit % 8) & 1) != 0;
}

// Numbers; of anything else only its type.
std::string foreign_cell(const columnar::DataType& type, const ArrowArray& array,
                         std::int64_t row) {
  const std::string format = type.foreign ? type.foreign->format() : "";
  if (format == "c") return std::to_string(number_at<std::int8_t>(array, row));
  if (format == "C") return std::to_string(number_at<std::uint8_t>(array, row));
  if (format == "s") return std::to_string(number_at<std::int16_t>(array, row));
  if (format == "S") return std::to_string(number_at<std::uint16_t>(array, row));
  if (format == "i") return std::to_string(number_at<std::int32_t>(array, row));
  if (format == "L") return std::to_string(number_at<std::uint64_t>(array, row));
  if (format == "f") return fmt::format("{:.6g}", number_at<float>(array, row));
  return "<" + type.to_string() + ">";
}

std::string cell(const columnar::DataType& type, const ArrowArray& array, std::int64_t row) {
  if (!columnar::is_valid(array, row)) return "null";
  switch (type.kind) {
    case columnar::TypeKind::kString:
      return shortened(columnar::text_at(array, row, type));
    case columnar::TypeKind::kUInt32:
      return std::to_string(columnar::uint32_at(array, row));
    case columnar::TypeKind::kEmbedding: {
      std::vector<float> scratch;
      const auto vector = columnar::embedding_at(array, row, type, scratch);
      std::string text = "[";
      for (std::size_t i = 0; i < std::min<std::size_t>(4, vector.size()); ++i)
        text += fmt::format("{:.3f}, ", vector[i]);
      return text + (vector.size() > 4 ? "...]" : "]");
    }
    case columnar::TypeKind::kBinary:
      return fmt::format("<{} bytes>", columnar::text_at(array, row, type).size());
    case columnar::TypeKind::kBoolean:
      return boolean_at(array, row) ? "true" : "false";
    case columnar::TypeKind::kFloat64:
      return fmt::format("{:.6g}", number_at<double>(array, row));
    case columnar::TypeKind::kInt64:
      return std::to_string(number_at<std::int64_t>(array, row));
    case columnar::TypeKind::kImage: {
      const columnar::ImageView view = columnar::image_at(array, row, type.image);
      return fmt::format("<{} x {}>", view.height, view.width);
    }
    case columnar::TypeKind::kOther:
      return foreign_cell(type, array, row);
  }
  return "";
}

}  // namespace

std::string table_text(const columnar::Schema& schema,
                       const std::vector<columnar::Batch>& batches) {
  std::vector<std::vector<std::string>> columns;
  for (std::size_t c = 0; c < schema.fields.size(); ++c) {
    const columnar::Field& field = schema.fields[c];
    std::vector<std::string> cells{field.name, field.type.to_string()};
    for (const columnar::Batch& batch : batches) {
      const ArrowArray& array = *batch.array().children[c];
      for (std::int64_t row = 0; row < batch.num_rows(); ++row)
        cells.push_back(cell(field.type, array, row));
    }
    columns.push_back(std::move(cells));
  }
  std::vector<std::size_t> widths;
  for (const auto& cells : columns) {
    std::size_t width = 0;
    for (const std::string& text : cells) width = std::max(width, width_of(text));
    widths.push_back(width);
  }
  std::string table;
  const std::size_t lines = columns.empty() ? 0 : columns[0].size();
  for (std::size_t line = 0; line < lines; ++line) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& text = columns[c][line];
      table += (c == 0 ? "" : "  ") + text + std::string(widths[c] - width_of(text), ' ');
    }
    while (!table.empty() && table.back() == ' ') table.pop_back();
    table += '\n';
    if (line != 1) continue;
    for (std::size_t c = 0; c < columns.size(); ++c)
      table += (c == 0 ? "" : "  ") + std::string(widths[c], '-');
    table += '\n';
  }
  return table + fmt::format("({} rows)\n", lines < 2 ? 0 : lines - 2);
}

}  // namespace vecframe::session
