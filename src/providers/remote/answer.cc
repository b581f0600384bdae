#include "providers/remote/answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "providers/http/base64.h"

namespace vecframe::providers {
namespace {

static_assert(std::endian::native == std::endian::little, "vectors travel little-endian");

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxKey = 256;

struct Item {
  std::vector<float> values;
  std::size_t count = 0;  // of values, kept or not
  std::optional<std::int64_t> index;
  bool has_vector = false;
  bool has_index = false;
  std::string fault;
};

std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    tokens.emplace_back(pointer.substr(0, end));
    pointer.remove_prefix(end);
  }
  return tokens;
}

// Walks through the text once and keeps the vectors alone, so that neither depth nor length of the
// rest costs memory.
class Reader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Reader(const AnswerPointers& pointers, std::size_t rows, std::int64_t dimension)
      : vector_(tokens_of(pointers.vector)),
        index_(tokens_of(pointers.index)),
        error_(tokens_of(pointers.error)),
        rows_(rows),
        most_values_(static_cast<std::size_t>(dimension > 0 ? dimension : kMaxDimension)) {}

  bool null() override {
    if (in_vector()) return not_a_number("null");
    if (is_at(vector_)) return open_item() && end_value();  // without a vector
    return begin_value(false) && end_value();
  }
  bool boolean(bool) override {
    if (in_vector()) return not_a_number("a boolean");
    return scalar("a boolean");
  }
  bool number_integer(number_integer_t value) override {
    if (in_vector()) return add(static_cast<double>(value));
    return number(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (in_vector()) return add(static_cast<double>(value));
    return number(value <= INT64_MAX ? static_cast<std::int64_t>(value) : -1);
  }
  bool number_float(number_float_t value, const string_t&) override {
    if (in_vector()) return add(value);
    return scalar("a number");
  }
  bool string(string_t& value) override {
    if (in_vector()) return not_a_number("a string");
    if (is_at(vector_)) return open_item() && take_base64(value) && end_value();
    return scalar("a string");
  }
  bool binary(binary_t&) override { return false; }  // not in JSON
  bool start_object(std::size_t) override { return start(false); }
  bool start_array(std::size_t) override { return start(true); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool key(string_t& name) override {
    if (name.size() > kMaxKey) name.resize(kMaxKey);
    path_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return fail(fmt::format("the answer is not JSON (at byte {})", position));
  }

  const std::optional<AnswerFault>& fault() const { return fault_; }
  std::vector<Item>& items() { return items_; }

 private:
  struct Level {
    bool is_array = false;
    std::size_t position = 0;  // of the value in an array
    std::string key;           // of the value in an object
  };

  bool fail(std::string message, bool is_error = false) {
    if (!fault_) fault_ = AnswerFault{std::move(message), is_error};
    return false;
  }

  // Whether the value that begins is the one a pointer names.
  bool is_at(const std::vector<std::string>& pointer) const {
    if (pointer.empty() || path_.size() != pointer.size()) return false;
    for (std::size_t i = 0; i < pointer.size(); ++i) {
      const bool same =
          pointer[i] == "*" ? path_[i].is_array : !path_[i].is_array && path_[i].key == pointer[i];
      if (!same) return false;
    }
    return true;
  }
  bool in_vector() const { return vector_level_ > 0 && path_.size() == vector_level_; }

  // The number of the row in the path of `pointer`, whose value begins.
  std::size_t row_of(const std::vector<std::string>& pointer) const {
    for (std::size_t i = 0; i < pointer.size(); ++i) {
      if (pointer[i] == "*") return path_[i].position;
    }
    return 0;
  }
  Item* item(std::size_t row) {
    if (row >= rows_) {
      fail(fmt::format("the answer has more than {} vectors", rows_));
      return nullptr;
    }
    if (items_.size() <= row) items_.resize(row + 1);
    return &items_[row];
  }
  bool open_item() {
    current_ = item(row_of(vector_));
    if (current_ == nullptr) return false;
    Item fresh;
    fresh.index = current_->index;
    fresh.has_index = current_->has_index;
    *current_ = std::move(fresh);
    return true;
  }

  bool begin_value(bool means_something) {
    if (!error_.empty() && means_something && is_at(error_))
      return fail("the answer is an error", true);
    // An element of the array of rows counts as a row, whatever it is.
    if (path_.size() + 1 == vector_.size() && is_row())
      return item(path_.back().position) != nullptr;
    return true;
  }
  bool is_row() const {
    for (std::size_t i = 0; i < path_.size(); ++i) {
      const bool same =
          vector_[i] == "*" ? path_[i].is_array : !path_[i].is_array && path_[i].key == vector_[i];
      if (!same) return false;
    }
    return !path_.empty() && path_.back().is_array;
  }
  bool end_value() {
    if (!path_.empty() && path_.back().is_array) ++path_.back().position;
    return true;
  }

  bool scalar(const char* what) {
    if (is_at(vector_)) {
      if (!open_item()) return false;
      current_->fault = fmt::format("the server sends {} in place of a vector", what);
    } else if (is_at(index_)) {
      return fail(fmt::format("the index of a vector is {}", what));
    }
    return begin_value(true) && end_value();
  }
  bool number(std::int64_t value) {
    if (!is_at(index_)) return scalar("a number");
    Item* const at = item(row_of(index_));
    if (at == nullptr) return false;
    at->index = value;
    at->has_index = true;
    return end_value();
  }

  bool start(bool is_array) {
    if (path_.size() >= kMaxDepth) return fail("the answer is nested too deep");
    if (in_vector()) {
      // A vector of vectors, such as one a token.
      current_->fault = "the server sends lists inside the vector";
    } else if (is_at(vector_)) {
      if (!open_item()) return false;
      if (is_array) {
        current_->has_vector = true;
        vector_level_ = path_.size() + 1;
      } else {
        current_->fault = "the server sends an object in place of a vector";
      }
    } else if (is_at(index_)) {
      return fail("the index of a vector is no number");
    } else if (!begin_value(true)) {
      return false;
    }
    path_.push_back({is_array, 0, {}});
    return true;
  }
  bool end() {
    if (path_.size() == vector_level_) vector_level_ = 0;
    path_.pop_back();
    return end_value();
  }

  bool add(double value) {
    const auto single = static_cast<float>(value);
    if (!std::isfinite(single)) return not_a_number("a value beyond float32");
    if (current_->count++ < most_values_) current_->values.push_back(single);
    return end_value();
  }
  bool not_a_number(const char* what) {
    current_->fault = fmt::format("the vector holds {}", what);
    return end_value();
  }
  bool take_base64(const std::string& text) {
    const auto bytes = decode_base64(text);
    if (!bytes || bytes->size() % sizeof(float) != 0) {
      current_->fault = bytes ? fmt::format("{} bytes are no float32 values", bytes->size())
                              : std::string("the vector is not base64");
      return true;
    }
    current_->has_vector = true;
    current_->count = bytes->size() / sizeof(float);
    current_->values.resize(std::min(current_->count, most_values_));
    if (!current_->values.empty())
      std::memcpy(current_->values.data(), bytes->data(), current_->values.size() * sizeof(float));
    return true;
  }

  const std::vector<std::string> vector_, index_, error_;
  const std::size_t rows_;
  const std::size_t most_values_;
  std::vector<Level> path_;
  std::size_t vector_level_ = 0;  // depth of a vector's numbers; 0: not in one
  Item* current_ = nullptr;       // whose vector is read
  std::vector<Item> items_;
  std::optional<AnswerFault> fault_;
};

RowVector checked(Item& item, std::int64_t dimension) {
  const auto bad = [](std::string message) { return RowVector{{}, std::move(message)}; };
  if (!item.fault.empty()) return bad(item.fault);
  if (!item.has_vector || item.count == 0) return bad("the server sends no vector for this row");
  if (dimension > 0 && item.count != static_cast<std::size_t>(dimension))
    return bad(fmt::format("the server sends {} values in place of {}", item.count, dimension));
  if (item.count > static_cast<std::size_t>(kMaxDimension))
    return bad(fmt::format("the server sends more than {} values", kMaxDimension));
  if (!std::all_of(item.values.begin(), item.values.end(),
                   [](float v) { return std::isfinite(v); }))
    return bad("the vector holds NaN or infinity");
  return {std::move(item.values), {}};
}

}  // namespace

std::variant<AnswerRows, AnswerFault> read_answer(const AnswerPointers& pointers,
                                                  std::string_view text, std::size_t rows,
                                                  std::int64_t dimension) {
  Reader reader(pointers, rows, dimension);
  const bool whole = nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  if (reader.fault()) return *reader.fault();
  if (!whole) return AnswerFault{"the answer is not JSON"};
  std::vector<Item>& items = reader.items();
  if (items.size() != rows)
    return AnswerFault{fmt::format("the answer has {} vectors for {} rows", items.size(), rows)};

  const auto with_index = static_cast<std::size_t>(
      std::count_if(items.begin(), items.end(), [](const Item& item) { return item.has_index; }));
  if (with_index != 0 && with_index != rows)
    return AnswerFault{"some vectors of the answer have an index and some have none"};
  std::vector<Item*> in_order(rows, nullptr);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::int64_t at = with_index == 0 ? static_cast<std::int64_t>(i) : *items[i].index;
    if (at < 0 || static_cast<std::size_t>(at) >= rows || in_order[static_cast<std::size_t>(at)])
      return AnswerFault{fmt::format("the indices of the answer are not those of {} rows", rows)};
    in_order[static_cast<std::size_t>(at)] = &items[i];
  }
  AnswerRows vectors;
  vectors.reserve(rows);
  for (Item* item : in_order) vectors.push_back(checked(*item, dimension));
  return vectors;
}

std::size_t longest_answer(std::size_t rows, std::int64_t dimension) {
  constexpr std::size_t kAround = 1 << 20;  // names, usage, spaces
  constexpr std::size_t kDigits = 32;       // of one number with its comma
  const auto values = static_cast<std::size_t>(dimension > 0 ? dimension : kMaxDimension);
  return kAround + rows * (values * kDigits + 1024);
}

}  // namespace vecframe::providers
