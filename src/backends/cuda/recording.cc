#include "backends/cuda/recording.h"

#include <functional>
#include <numeric>
#include <utility>

namespace vecframe::backends::cuda {
namespace {

using compute::Matrix;

const float* end_of(const Matrix& m) {
  return m.rows == 0 || m.columns == 0 ? m.data : m.data + (m.rows - 1) * m.stride + m.columns;
}

// What operations write, in groups that are stored alike.
class Groups {
 public:
  std::size_t add(const Operand& operand, bool may_begin) {
    parent_.push_back(parent_.size());
    halves_.push_back(operand.halves && may_begin);
    kind_.push_back(operand.kind);
    may_overflow_.push_back(operand.may_overflow);
    return parent_.size() - 1;
  }

  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }

  void join(std::size_t a, std::size_t b) {
    a = root(a);
    b = root(b);
    if (a == b) return;
    parent_[b] = a;
    halves_[a] = halves_[a] && halves_[b];
    may_overflow_[a] = may_overflow_[a] || may_overflow_[b];
    suggest(a, kind_[b]);
  }

  void widen(std::size_t i) { halves_[root(i)] = false; }

  /// A reader minds what may overflow.
  void mind_overflow(std::size_t i) { minded_.push_back(i); }

  /// After all is joined.
  void settle_overflow() {
    for (const std::size_t i : minded_)
      if (may_overflow_[root(i)]) widen(i);
  }

  void suggest(std::size_t i, std::optional<Storage> kind) {
    i = root(i);
    if (!kind) return;
    if (kind_[i] && *kind_[i] != *kind) halves_[i] = false;
    kind_[i] = kind;
  }

  Storage storage(std::size_t i) {
    i = root(i);
    return halves_[i] && kind_[i] ? *kind_[i] : Storage::kFloat;
  }

 private:
  std::vector<std::size_t> parent_;
  std::vector<bool> halves_;
  std::vector<std::optional<Storage>> kind_;
  std::vector<bool> may_overflow_;
  std::vector<std::size_t> minded_;
};

struct Written {
  Matrix matrix;
  std::size_t group;
};

// Joins all that the operand may read, and asks it to be float32 where the operand needs that.
// The group, or nothing if what is read was written before the recording.
std::optional<std::size_t> resolve(const Operand& operand, const std::vector<Written>& written,
                                   Groups& groups) {
  std::optional<std::size_t> found;
  bool covered = false, wide = !operand.halves;
  for (auto value = written.rbegin(); value != written.rend() && !covered; ++value) {
    if (!overlap(operand.matrix, value->matrix)) continue;
    if (found) groups.join(*found, value->group);
    found = value->group;
    const bool same_base =
        operand.matrix.data == value->matrix.data && operand.matrix.stride == value->matrix.stride;
    if (!same_base) wide = true;
    covered = lies_within(operand.matrix, value->matrix);
  }
  if (!found) return found;
  if (wide || !covered) groups.widen(*found);
  groups.suggest(*found, operand.kind);
  if (!operand.takes_overflow) groups.mind_overflow(*found);
  return found;
}

}  // namespace

bool overlap(const Matrix& a, const Matrix& b) {
  const std::less<> before;
  return before(a.data, end_of(b)) && before(b.data, end_of(a));
}

bool lies_within(const Matrix& read, const Matrix& written) {
  return read.data == written.data && read.stride == written.stride && read.rows <= written.rows &&
         read.columns <= written.columns;
}

StoragePlan plan_storages(const std::vector<Operation>& operations) {
  Groups groups;
  std::vector<Written> written;
  std::vector<std::vector<std::optional<std::size_t>>> reads;
  std::vector<std::optional<std::size_t>> writes;
  for (const Operation& operation : operations) {
    auto& read = reads.emplace_back();
    for (const Operand& operand : operation.reads)
      read.push_back(resolve(operand, written, groups));
    auto& write = writes.emplace_back();
    if (!operation.write) continue;
    const Matrix& target = operation.write->matrix;
    // In place, the new value is stored as the old one, and may have gaps where that has.
    std::optional<std::size_t> old;
    bool apart = true;
    for (std::size_t i = 0; i < read.size(); ++i) {
      const Matrix& from = operation.reads[i].matrix;
      if (!overlap(from, target)) continue;
      if (read[i] && from.data == target.data && from.stride == target.stride) {
        if (old) groups.join(*old, *read[i]);
        old = read[i];
      } else {
        apart = false;
        if (read[i]) groups.widen(*read[i]);
      }
    }
    const bool may_begin = apart && (old.has_value() || target.columns == target.stride);
    write = groups.add(*operation.write, may_begin);
    if (old) groups.join(*old, *write);
    written.push_back({target, *write});
  }
  groups.settle_overflow();
  StoragePlan plan;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto& of = plan.operations.emplace_back();
    for (const auto& group : reads[i])
      of.reads.push_back(group ? groups.storage(*group) : Storage::kFloat);
    if (writes[i]) of.write = groups.storage(*writes[i]);
  }
  return plan;
}

}  // namespace vecframe::backends::cuda
