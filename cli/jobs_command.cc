// vecframe jobs and vecframe report: what can be done with the outputs of runs, and what is known
// of them.

#include <fmt/format.h>
#include <vecframe/jobs.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.h"

namespace vecframe::cli {
namespace {

void print_merged(const std::string& directory, const MergedRun& merged) {
  fmt::print("{} rows, {} failed, in {} parts -> {}\n", merged.rows, merged.failed, merged.parts,
             directory);
  if (merged.missing_shares > 0)
    fmt::print(stderr, "warning: {} of {} shares have not ended; the manifest says so\n",
               merged.missing_shares, merged.shares);
}

void add_merge_command(CLI::App& jobs, Action& action) {
  struct Arguments {
    std::string directory;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = jobs.add_subcommand(
      "merge", "Write the manifest and the report of an output that several processes wrote");
  command->footer(
      "The manifest is made from what the parts say of themselves; each share of a run does this "
      "when it ends, so it is needed only after one was killed or parts were moved.\n\n"
      "Example:\n  vecframe jobs merge out/");
  command->add_option("directory", arguments->directory, "The output directory")->required();
  command->add_flag("--json", arguments->json, "As JSON");
  command->callback([arguments, &action] {
    action = [arguments] {
      const MergedRun merged = merge_run(arguments->directory);
      if (!arguments->json) {
        print_merged(arguments->directory, merged);
        return kOk;
      }
      const nlohmann::ordered_json json = {
          {"complete", merged.complete}, {"parts", merged.parts},
          {"rows", merged.rows},         {"failed", merged.failed},
          {"shares", merged.shares},     {"missing_shares", merged.missing_shares}};
      fmt::print("{}\n", json.dump(2));
      return kOk;
    };
  });
}

}  // namespace

void add_jobs_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("jobs", "Outputs that several processes write");
  command->require_subcommand(1);
  add_merge_command(*command, action);
}

void add_report_command(CLI::App& app, Action& action) {
  struct Arguments {
    std::string directory;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "report", "Show where the time of a run went, why rows failed, and what was not done twice");
  command->footer("\nExample:\n  vecframe report out/");
  command
      ->add_option("directory", arguments->directory,
                   "An output directory, or a file that holds what --json printed")
      ->required();
  command->add_flag("--json", arguments->json, "As JSON");
  command->callback([arguments, &action] {
    action = [arguments] {
      const std::string report = read_report(arguments->directory);
      fmt::print("{}", arguments->json ? report : report_text(report));
      return kOk;
    };
  });
}

}  // namespace vecframe::cli
