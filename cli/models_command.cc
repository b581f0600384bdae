// vecframe models: what can be given to --model.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.h"

namespace vecframe::cli {
namespace {

std::string number(std::int64_t value) { return value == 0 ? "-" : std::to_string(value); }

void print_table(const std::vector<ModelInfo>& models) {
  std::size_t width = 5;
  for (const ModelInfo& model : models) width = std::max(width, model.name.size());
  fmt::print("{:<{}}  {:>9}  {:>9}  {:>8}  {:<12}  {}\n", "model", width, "dimension", "Mparam",
             "GFLOP", "licence", "state");
  for (const ModelInfo& model : models) {
    const std::string parameters =
        model.parameters == 0 ? "-"
                              : fmt::format("{:.1f}", static_cast<double>(model.parameters) / 1e6);
    const std::string flops =
        model.gflop_per_image == 0 ? "-" : fmt::format("{:.1f}", model.gflop_per_image);
    fmt::print("{:<{}}  {:>9}  {:>9}  {:>8}  {:<12}  {}\n", model.name, width,
               number(model.dimension), parameters, flops,
               model.licence.empty() ? "-" : model.licence, model.state);
  }
}

void print_json(const std::vector<ModelInfo>& models) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const ModelInfo& model : models) {
    json.push_back({{"name", model.name},
                    {"provider", model.provider},
                    {"family", model.family},
                    {"state", model.state},
                    {"dimension", model.dimension},
                    {"licence", model.licence},
                    {"parameters", model.parameters},
                    {"gflop_per_image", model.gflop_per_image}});
  }
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void add_models_command(CLI::App& app, Action& action) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("models", "List built-in, cached and known models");
  command->add_flag("--json", *json, "As JSON");
  command->callback([json, &action] {
    action = [json] {
      const std::vector<ModelInfo> models = list_models();
      *json ? print_json(models) : print_table(models);
      return kOk;
    };
  });
}

}  // namespace vecframe::cli
