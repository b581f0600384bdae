#include "models/tensor_collector.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>

namespace vecframe::models {
namespace {

constexpr std::size_t kListed = 6;  // names in a message; the rest is counted

bool matches(std::string_view name, std::string_view pattern) {
  return pattern.starts_with('*') ? name.ends_with(pattern.substr(1)) : name.starts_with(pattern);
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kListed); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kListed) text += fmt::format(" and {} more", names.size() - kListed);
  return text;
}

}  // namespace

const TensorInfo* TensorCollector::require(const std::string& name,
                                           std::vector<std::int64_t> shape) {
  const TensorInfo* tensor = find(name, std::move(shape));
  if (tensor == nullptr) missing_.push_back(name);
  return tensor;
}

const TensorInfo* TensorCollector::find(const std::string& name, std::vector<std::int64_t> shape) {
  const TensorInfo* tensor = checkpoint_.find(name);
  if (tensor == nullptr) return nullptr;
  if (tensor->shape != shape)
    throw RequestError(fmt::format(
        "model: '{}': tensor '{}' has shape {}, but {} means {}; they belong to different models",
        checkpoint_.model(), name, shape_text(tensor->shape), checkpoint_.config_name(),
        shape_text(shape)));
  if (used_.insert(name).second) {
    parameters_ += tensor->count();
    const auto long_axes =
        std::count_if(shape.begin(), shape.end(), [](std::int64_t n) { return n > 1; });
    if (long_axes >= 2) matrix_parameters_ += tensor->count();
  }
  return tensor;
}

void TensorCollector::finish(const std::vector<std::string_view>& ignored) const {
  std::vector<std::string> unexpected;
  for (const std::string& name : checkpoint_.names()) {
    const bool known = used_.count(name) != 0 ||
                       std::any_of(ignored.begin(), ignored.end(), [&](std::string_view pattern) {
                         return matches(name, pattern);
                       });
    if (!known) unexpected.push_back(name);
  }
  if (missing_.empty() && unexpected.empty()) return;
  std::string text = fmt::format("model: '{}': the weights are not those of {}'s model;",
                                 checkpoint_.model(), checkpoint_.config_name());
  if (!missing_.empty()) text += fmt::format(" missing: {}", list(missing_));
  if (!unexpected.empty())
    text += fmt::format("{} unexpected: {}", missing_.empty() ? "" : ";", list(unexpected));
  throw RequestError(text);
}

}  // namespace vecframe::models
