// The command line: parses, dispatches, and turns exceptions into exit codes and one line on
// standard error.

#include <fmt/format.h>
#include <malloc.h>
#include <vecframe/suggest.h>

#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include "cli/command.h"

namespace vecframe::cli {

StopSource& stop_source() {
  static StopSource source;
  return source;
}

namespace {

// The first signal asks the run to stop and clean up; a second one ends the process at once.
void on_signal(int signal) {
  stop_source().request();
  std::signal(signal, SIG_DFL);
}

// All options of the subcommand that was chosen, for suggestions.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands()) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  std::string text = error.what();
  for (const std::string& extra : app.remaining(/*recurse=*/true)) {
    if (!extra.starts_with("-")) continue;
    const std::string name = extra.substr(0, extra.find('='));
    const std::string nearest = nearest_name(name, option_names(app));
    text = "unknown option '" + name + "'" +
           (nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
    break;
  }
  std::string command = "vecframe";
  for (const CLI::App* chosen : app.get_subcommands()) command += " " + chosen->get_name();
  return text + " (see `" + command + " --help`)";
}

int run(int argc, char** argv) {
  CLI::App app{"Vecframe turns image files into embedding vectors."};
  app.name("vecframe");
  app.set_version_flag("--version", std::string("vecframe ") + version());
  app.require_subcommand(1);
  Action action;
  add_embed_command(app, action);
  add_inspect_command(app, action);
  add_jobs_command(app, action);
  add_report_command(app, action);
  add_models_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "error: {}\n", explain(app, error));
    return kWrongRequest;
  }
  stop_source();  // made before a signal can ask for it
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return action();
}

}  // namespace
}  // namespace vecframe::cli

int main(int argc, char** argv) {
  using namespace vecframe;
  try {
    return cli::run(argc, argv);
  } catch (const RequestError& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return cli::kWrongRequest;
  } catch (const Cancelled&) {
    fmt::print(stderr,
               "interrupted; of a file nothing was written, of a directory the finished parts are "
               "kept and --resume goes on\n");
    return cli::kInterrupted;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return cli::kRunFailed;
  }
}
