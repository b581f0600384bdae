#include <vecframe/error.h>

#include "bindings.h"

namespace nb = nanobind;

namespace vecframe::python {

void bind_errors(nb::module_& module) {
  auto request_error = nb::exception<RequestError>(module, "RequestError", PyExc_ValueError);
  request_error.attr("__doc__") =
      "A wrong request: bad argument, unknown option, missing model. Raised before any picture is "
      "read; one line that names argument, value and fix.";
  auto run_error = nb::exception<RunError>(module, "RunError", PyExc_RuntimeError);
  run_error.attr("__doc__") =
      "The run itself failed: the output could not be written, or on_error=\"raise\" met a bad "
      "row. No output is left.";
}

}  // namespace vecframe::python
