#include "io/ipc.h"

#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/shown_text.h"
#include "io/arrow_morsel.h"

namespace vecframe::io {
namespace {

std::shared_ptr<arrow::Schema> schema_of(const columnar::Schema& schema) {
  ArrowSchema exported;
  columnar::export_schema(schema, &exported);
  return check(arrow::ImportSchema(&exported), "describing rows");
}

// Values lie in the bytes themselves and take no memory of their own, unless they are compressed,
// which write_ipc() never does. So little is enough, and a few bytes cannot become many.
arrow::MemoryPool* small_pool() {
  static arrow::CappedMemoryPool pool(arrow::system_memory_pool(), std::int64_t{64} << 20);
  return &pool;
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> open(std::string_view bytes) {
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = small_pool();
  options.use_threads = false;
  const auto input =
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::string(bytes)));
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        arrow::ipc::RecordBatchStreamReader::Open(input, options));
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
    batches.push_back(std::move(batch));
  }
  return arrow::RecordBatchReader::Make(std::move(batches), reader->schema());
}

}  // namespace

std::string write_ipc(const columnar::Schema& schema, std::span<const columnar::Morsel> morsels) {
  const std::string action = "writing rows";
  const auto type = schema_of(schema);
  const auto sink = check(arrow::io::BufferOutputStream::Create(), action);
  const auto writer = check(arrow::ipc::MakeStreamWriter(sink, type), action);
  for (const columnar::Morsel& morsel : morsels) {
    ArrowArray exported;
    columnar::export_morsel(morsel, &exported);
    const auto batch = check(arrow::ImportRecordBatch(&exported, type), action);
    check(writer->WriteRecordBatch(*batch), action);
  }
  check(writer->Close(), action);
  return check(sink->Finish(), action)->ToString();
}

void read_ipc(std::string_view bytes, ArrowArrayStream* out) {
  const auto reader = open(bytes);
  if (!reader.ok()) {
    const std::string message = reader.status().message();
    throw RequestError("data: the bytes are no rows of Arrow's streaming format: " +
                       shown_text(message.substr(0, message.find('\n'))));
  }
  check(arrow::ExportRecordBatchReader(*reader, out), "reading rows");
}

}  // namespace vecframe::io
