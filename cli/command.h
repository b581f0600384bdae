// What the parts of the command line share.
#pragma once

#include <vecframe/vecframe.h>

#include <CLI/CLI.hpp>
#include <functional>

namespace vecframe::cli {

/// Exit codes; docs/cli.md is their contract.
inline constexpr int kOk = 0, kRunFailed = 1, kWrongRequest = 2, kInterrupted = 130;

/// Raised by SIGINT and SIGTERM.
StopSource& stop_source();

// Each adds a subcommand and sets `action` to what it does when it is the chosen one.
using Action = std::function<int()>;
void add_embed_command(CLI::App& app, Action& action);
void add_inspect_command(CLI::App& app, Action& action);
void add_jobs_command(CLI::App& app, Action& action);
void add_report_command(CLI::App& app, Action& action);
void add_models_command(CLI::App& app, Action& action);

}  // namespace vecframe::cli
