// The extension module vecframe._native. It only translates types; words, defaults and checks of
// the Python interface are in the Python files.

#include <vecframe/version.h>

#include "bindings.h"

NB_MODULE(_native, module) {
  using namespace vecframe::python;
  // A dataframe holds the Python providers of its plan, and they, through their functions' globals,
  // the dataframe. The collector cannot see through the plan between the two, so in a script with
  // both at the top level they live as long as the process, which is no news for its user.
  nanobind::set_leak_warnings(false);
  module.doc() = "The native part of vecframe; use the package's own names instead.";
  module.def("version", &vecframe::version);
  bind_errors(module);
  bind_download(module);
  bind_provider(module);
  bind_expression(module);
  bind_run(module);
  bind_dataframe(module);
  bind_jobs(module);
  bind_worker_plan(module);
  bind_models(module);
  bind_loaded_model(module);
  bind_inspect(module);
}
