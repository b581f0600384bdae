// Streams of Arrow arrays as Python sees them.
#pragma once

#include <nanobind/nanobind.h>
#include <vecframe/dataframe.h>

#include <memory>

namespace vecframe::python {

/// The capsule of the Arrow PyCapsule interface: its consumer moves the stream out, else the
/// destructor releases it.
nanobind::capsule to_capsule(std::unique_ptr<ArrowArrayStream> stream);

/// Adds what gives rows one batch after the other to the class of dataframes.
void bind_row_stream(nanobind::module_& module, nanobind::class_<DataFrame>& frame);

}  // namespace vecframe::python
