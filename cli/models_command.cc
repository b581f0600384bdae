// vecframe models: what can be given to --model, and what is known of it.

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

nlohmann::ordered_json to_json(const ModelInfo& model) {
  return {{"name", model.name},
          {"provider", model.provider},
          {"family", model.family},
          {"state", model.state},
          {"dimension", model.dimension},
          {"licence", model.licence},
          {"parameters", model.parameters},
          {"gflop_per_image", model.gflop_per_image}};
}

void print_json(const nlohmann::ordered_json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_list_json(const std::vector<ModelInfo>& models) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const ModelInfo& model : models) json.push_back(to_json(model));
  print_json(json);
}

std::string picture_size(const ModelInfo& info) {
  return fmt::format("{}x{}", info.image_width, info.image_height);
}

void print_details(const ModelInfo& info) {
  const auto line = [](const char* name, const std::string& value) {
    fmt::print("{:<11} {}\n", name, value.empty() ? "-" : value);
  };
  line("model", info.name);
  line("family", info.family);
  line("dimension", number(info.dimension));
  line("picture", picture_size(info));
  line("processor", info.processor);
  if (info.has_text_tower) line("texts", *info.has_text_tower ? "yes" : "no");
  line("parameters", fmt::format("{:.1f} M", static_cast<double>(info.parameters) / 1e6));
  line("GFLOP", fmt::format("{:.1f} an image", info.gflop_per_image));
  line("licence", info.licence);
  line("revision", info.revision);
  line("state", info.state);
  line("files", info.directory);
}

void print_details_json(const ModelInfo& info) {
  nlohmann::ordered_json json = to_json(info);
  json["image_height"] = info.image_height;
  json["image_width"] = info.image_width;
  json["processor"] = info.processor;
  if (info.has_text_tower) json["has_text_tower"] = *info.has_text_tower;
  json["revision"] = info.revision;
  json["directory"] = info.directory;
  print_json(json);
}

void add_show_command(CLI::App& models, Action& action) {
  struct Arguments {
    EmbedImageOptions options;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = models.add_subcommand("show", "What is known of one model");
  command->footer(
      "Of a model of the hub that is not in the cache, nothing but its configuration and the "
      "headers of "
      "its weights is fetched, and nothing is kept.\n\n"
      "Examples:\n"
      "  vecframe models show google/siglip2-base-patch16-224\n"
      "  vecframe models show ./clip-vit-base-patch32 --json");
  command
      ->add_option("model", arguments->options.model,
                   "Directory of safetensors, builtin:NAME, or a hub id [owner/]name[@revision]")
      ->required();
  command->add_flag("--json", arguments->json, "As JSON");
  command->callback([arguments, &action] {
    action = [arguments] {
      DownloadOptions download;
      download.stop = stop_source();
      const ModelInfo info = describe_model(arguments->options, download);
      arguments->json ? print_details_json(info) : print_details(info);
      return kOk;
    };
  });
}

}  // namespace

void add_models_command(CLI::App& app, Action& action) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("models", "List built-in, cached and known models");
  command->add_flag("--json", *json, "As JSON");
  add_show_command(*command, action);
  command->callback([json, command, &action] {
    if (!command->get_subcommands().empty()) return;  // which has set the action
    action = [json] {
      const std::vector<ModelInfo> models = list_models();
      *json ? print_list_json(models) : print_table(models);
      return kOk;
    };
  });
}

}  // namespace vecframe::cli
