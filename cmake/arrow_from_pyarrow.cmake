# Arrow and Parquet as targets vecframe_arrow: the libraries and headers inside the pyarrow wheel of Python_EXECUTABLE (by
# default the project's own environment), so that the process that imports pyarrow and this one share a single Arrow.
if(NOT Python_EXECUTABLE AND EXISTS "${PROJECT_SOURCE_DIR}/.venv/bin/python")
  set(Python_EXECUTABLE "${PROJECT_SOURCE_DIR}/.venv/bin/python")
endif()
find_package(Python REQUIRED COMPONENTS Interpreter)
execute_process(
  COMMAND "${Python_EXECUTABLE}" -c
    "import pyarrow as pa, os; d=os.path.dirname(pa.__file__); print(d); print(pa.get_include()); print(pa.cpp_version_info.major)"
  OUTPUT_VARIABLE pyarrow_facts OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE pyarrow_missing)
if(pyarrow_missing)
  message(FATAL_ERROR "pyarrow is not importable by ${Python_EXECUTABLE}: run `make build`, which sets up .venv, "
                      "or configure with -DVECFRAME_IO=OFF")
endif()
string(REPLACE "\n" ";" pyarrow_facts "${pyarrow_facts}")
list(GET pyarrow_facts 0 VECFRAME_ARROW_DIR)
list(GET pyarrow_facts 1 arrow_include)
list(GET pyarrow_facts 2 arrow_major)
add_library(vecframe_arrow INTERFACE)
target_include_directories(vecframe_arrow SYSTEM INTERFACE "${arrow_include}")
target_link_libraries(vecframe_arrow INTERFACE
  "${VECFRAME_ARROW_DIR}/libarrow.so.${arrow_major}00" "${VECFRAME_ARROW_DIR}/libarrow_compute.so.${arrow_major}00"
  "${VECFRAME_ARROW_DIR}/libparquet.so.${arrow_major}00")
