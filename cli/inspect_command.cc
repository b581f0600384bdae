// vecframe inspect: what an output file holds.

#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/command.h"

namespace vecframe::cli {

void add_inspect_command(CLI::App& app, Action& action) {
  struct Arguments {
    std::string path;
    InspectOptions options;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show schema, model, failures and a few nearest neighbours");
  command->footer("\nExample:\n  vecframe inspect photos.parquet --queries 2 --neighbours 5");
  command->add_option("path", arguments->path, "A Parquet file, or a directory of parts")
      ->required();
  command
      ->add_option("--queries", arguments->options.queries,
                   "Rows to find neighbours of, evenly spread")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  command
      ->add_option("--neighbours,--neighbors", arguments->options.neighbours,
                   "Neighbours for each of them")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "As JSON");
  command->callback([arguments, &action] {
    action = [arguments] {
      const TableSummary summary = inspect(arguments->path, arguments->options);
      fmt::print("{}", arguments->json ? summary.to_json() + "\n" : summary.to_text());
      return kOk;
    };
  });
}

}  // namespace vecframe::cli
