// One function for each file of bindings; module.cpp calls them.
#pragma once

#include <nanobind/nanobind.h>

namespace vecframe::python {

void bind_errors(nanobind::module_& module);
void bind_download(nanobind::module_& module);
void bind_provider(nanobind::module_& module);
void bind_expression(nanobind::module_& module);
void bind_run(nanobind::module_& module);
void bind_dataframe(nanobind::module_& module);
void bind_jobs(nanobind::module_& module);
void bind_worker_plan(nanobind::module_& module);
void bind_models(nanobind::module_& module);
void bind_loaded_model(nanobind::module_& module);
void bind_inspect(nanobind::module_& module);

}  // namespace vecframe::python
