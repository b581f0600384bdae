// The one symbol of the shared object.

#include <vecframe/export.h>

#include <utility>

#include "io/ipc.h"
#include "io/parquet_reader.h"
#include "io/parquet_writer.h"
#include "io/relational.h"
#include "storage/table_io.h"

namespace vecframe::io {
namespace {

class Module final : public storage::TableModule {
 public:
  int abi() const override { return storage::kTableModuleAbi; }
  std::unique_ptr<storage::TableWriter> create_parquet(
      const std::string& path, std::shared_ptr<const columnar::Schema> schema) override {
    return create_parquet_writer(path, std::move(schema));
  }
  std::unique_ptr<storage::TableReader> open_parquet(const std::string& path) override {
    return open_parquet_reader(path);
  }
  std::string write_ipc(const columnar::Schema& schema,
                        std::span<const columnar::Morsel> morsels) override {
    return io::write_ipc(schema, morsels);
  }
  void read_ipc(std::string_view bytes, ArrowArrayStream* out) override {
    io::read_ipc(bytes, out);
  }
  storage::Relational& relational() override { return io::relational(); }
};

}  // namespace
}  // namespace vecframe::io

extern "C" VECFRAME_API vecframe::storage::TableModule* vecframe_table_module() {
  static vecframe::io::Module module;
  return &module;
}
