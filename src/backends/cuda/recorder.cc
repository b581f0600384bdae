#include "backends/cuda/recorder.h"

#include <algorithm>
#include <utility>

#include "backends/cuda/enqueue.h"
#include "backends/cuda/library_product.h"

namespace vecframe::backends::cuda {
namespace {

Cells cells_of(const compute::Matrix& matrix, Storage storage) {
  return {matrix.data, matrix.stride, storage};
}

}  // namespace

Recorder::Recorder(std::shared_ptr<Runtime> runtime, bool use_graphs)
    : runtime_(std::move(runtime)),
      use_graphs_(use_graphs),
      queue_(runtime_),
      workspace_(runtime_, LibraryProduct::workspace_bytes()) {}

Recorder::~Recorder() { runtime_->settle(queue()); }

void Recorder::add(Operation operation) {
  widen_where_used(operation);
  operations_.push_back(std::move(operation));
}

void Recorder::flush() {
  if (operations_.empty()) return;
  runtime_->use();
  const StoragePlan plan = plan_storages(operations_);
  std::size_t bytes = 0;
  for (const Operation& operation : operations_) bytes = std::max(bytes, operation.scratch_bytes);
  ensure_scratch(bytes);
  if (!use_graphs_) {
    run_all(plan);
  } else {
    std::string key = key_of(plan);
    const auto known = std::find_if(captured_.begin(), captured_.end(),
                                    [&](const Captured& one) { return one.key == key; });
    if (known == captured_.end()) {
      run_all(plan);
      captured_.push_front({std::move(key)});
      if (captured_.size() > kGraphs) {
        runtime_->wait_for(queue());
        captured_.pop_back();
      }
    } else {
      captured_.splice(captured_.begin(), captured_, known);
      if (known->graph == nullptr && !known->refused) {
        known->graph = runtime_->capture(queue(), [&] { run_all(plan); });
        known->refused = known->graph == nullptr;
      }
      if (known->graph != nullptr) {
        runtime_->start(*known->graph, queue());
      } else {
        run_all(plan);
      }
    }
  }
  keep_track(plan);
  operations_.clear();
}

void Recorder::forget() {
  operations_.clear();
  narrow_.clear();
}

void Recorder::run_all(const StoragePlan& plan) {
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const Operation& operation = operations_[i];
    Bound bound{queue(), {}, {}, scratch_.data(), workspace_.data()};
    for (std::size_t r = 0; r < operation.reads.size(); ++r)
      bound.reads.push_back(cells_of(operation.reads[r].matrix, plan.operations[i].reads[r]));
    if (operation.write) bound.write = cells_of(operation.write->matrix, plan.operations[i].write);
    operation.run(bound);
  }
}

// What is left of a value whose memory was written by an operation of another shape is nobody's.
void Recorder::keep_track(const StoragePlan& plan) {
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    if (!operations_[i].write) continue;
    const Narrow value{operations_[i].write->matrix, plan.operations[i].write};
    const auto holds = [&](const Narrow& known) {
      return known.storage == value.storage && lies_within(value.matrix, known.matrix);
    };
    if (std::any_of(narrow_.begin(), narrow_.end(), holds)) continue;
    std::erase_if(narrow_,
                  [&](const Narrow& known) { return overlap(known.matrix, value.matrix); });
    if (value.storage != Storage::kFloat) narrow_.push_back(value);
  }
}

void Recorder::widen_where_used(const Operation& operation) {
  const auto reads = [&](const Narrow& value) {
    return std::any_of(operation.reads.begin(), operation.reads.end(),
                       [&](const Operand& o) { return overlap(o.matrix, value.matrix); });
  };
  const auto overwrites = [&](const Narrow& value) {
    return operation.write && overlap(operation.write->matrix, value.matrix);
  };
  std::erase_if(narrow_, [&](const Narrow& value) {
    if (reads(value)) {
      widen(value);
      return true;
    }
    return overwrites(value) && lies_within(value.matrix, operation.write->matrix);
  });
}

void Recorder::widen(const Narrow& value) {
  const compute::Matrix& m = value.matrix;
  runtime_->use();
  ensure_scratch(static_cast<std::size_t>(m.rows * m.columns) * sizeof(float));
  const Cells copy{scratch_.data(), m.columns, Storage::kFloat};
  enqueue(queue(), ConvertRows{cells_of(m, value.storage), copy, m.columns, m.columns}, m.rows);
  enqueue(queue(), ConvertRows{copy, cells_of(m, Storage::kFloat), m.columns, m.columns}, m.rows);
}

void Recorder::ensure_scratch(std::size_t bytes) {
  if (bytes <= scratch_.bytes()) return;
  runtime_->wait_for(queue());
  captured_.clear();  // they know the old address
  scratch_ = DeviceMemory();
  scratch_ = DeviceMemory(runtime_, bytes);
}

std::string Recorder::key_of(const StoragePlan& plan) const {
  std::string key;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const Operation& operation = operations_[i];
    key += operation.key;
    for (const Operand& operand : operation.reads) key += Key().add(operand.matrix).take();
    if (operation.write) key += Key().add(operation.write->matrix).take();
    for (const Storage storage : plan.operations[i].reads) key += static_cast<char>(storage);
    key += static_cast<char>(plan.operations[i].write);
  }
  return key;
}

}  // namespace vecframe::backends::cuda
