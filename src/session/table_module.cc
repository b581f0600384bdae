#include "session/table_module.h"

#include <dlfcn.h>
#include <vecframe/error.h>

#include <string>

#include "session/own_directory.h"

namespace vecframe::session {
namespace {

storage::TableModule& open_module() {
  const std::string path = (own_directory() / "libvecframe_io.so").string();
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw RunError("the Parquet module cannot be opened (" + std::string(dlerror()) +
                   "); it needs the Arrow libraries of the pyarrow package it was built with");
  }
  using Entry = storage::TableModule* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, storage::kTableModuleSymbol));
  storage::TableModule* module = entry == nullptr ? nullptr : entry();
  if (module == nullptr || module->abi() != storage::kTableModuleAbi) {
    throw RunError("the Parquet module " + path +
                   " belongs to another version; reinstall vecframe");
  }
  return *module;
}

}  // namespace

storage::TableModule& table_module() {
  static storage::TableModule& module =
      open_module();  // never closed: its objects outlive any caller
  return module;
}

}  // namespace vecframe::session
