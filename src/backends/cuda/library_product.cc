#include "backends/cuda/library_product.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "backends/cuda/runtime_library.h"
#include "compute/out_of_memory.h"

namespace vecframe::backends::cuda {
namespace {

// Rows that a kernel is chosen for, whatever the number of rows is: so a row's sums do not depend
// on how many there are.
constexpr std::int64_t kTypicalRows = 32768;

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_ALLOC_FAILED)
    throw compute::OutOfMemory(std::string("cuda: ") + call);
  throw std::runtime_error(std::string("cuda: ") + call + ": " + cublasLtGetStatusString(status));
}

cudaDataType_t type_of(Storage storage) {
  switch (storage) {
    case Storage::kFloat:
      return CUDA_R_32F;
    case Storage::kBf16:
      return CUDA_R_16BF;
    case Storage::kF16:
      return CUDA_R_16F;
  }
  return CUDA_R_32F;
}

cublasLtEpilogue_t epilogue_of(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::kBias:
      return CUBLASLT_EPILOGUE_BIAS;
    case Epilogue::kBiasRelu:
      return CUBLASLT_EPILOGUE_RELU_BIAS;
    case Epilogue::kBiasGelu:
      return CUBLASLT_EPILOGUE_GELU_BIAS;
  }
  return CUBLASLT_EPILOGUE_BIAS;
}

// Bytes, at most 256, that the first value of every row is a multiple of.
std::uint32_t alignment_of(const void* data, std::int64_t pitch, Storage storage) {
  const auto bits = reinterpret_cast<std::uintptr_t>(data) |
                    static_cast<std::uintptr_t>(pitch * size_of(storage)) | 256u;
  return static_cast<std::uint32_t>(bits & -bits);
}

struct Layout {
  // Rows of ours are the library's columns.
  Layout(Storage storage, std::int64_t columns, std::int64_t rows, std::int64_t pitch) {
    check(cublasLtMatrixLayoutCreate(&layout, type_of(storage), static_cast<std::uint64_t>(columns),
                                     static_cast<std::uint64_t>(rows), pitch),
          "cublasLtMatrixLayoutCreate");
  }
  ~Layout() { cublasLtMatrixLayoutDestroy(layout); }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  cublasLtMatrixLayout_t layout = nullptr;
};

struct Description {
  explicit Description(const LibraryProduct& p) {
    // float32 sums; TF32 would be another compute type.
    check(cublasLtMatmulDescCreate(&description, CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "cublasLtMatmulDescCreate");
    const cublasOperation_t transpose = CUBLAS_OP_T;
    set(CUBLASLT_MATMUL_DESC_TRANSA, transpose);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(p.epilogue));
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  }
  ~Description() { cublasLtMatmulDescDestroy(description); }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    check(cublasLtMatmulDescSetAttribute(description, attribute, &value, sizeof value),
          "cublasLtMatmulDescSetAttribute");
  }

  cublasLtMatmulDesc_t description = nullptr;
};

struct Preference {
  Preference() {
    check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
  }
  ~Preference() { cublasLtMatmulPreferenceDestroy(preference); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;

  template <class T>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
    check(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value),
          "cublasLtMatmulPreferenceSetAttribute");
  }

  cublasLtMatmulPreference_t preference = nullptr;
};

const void* residual_or_y(const LibraryProduct& p) {
  return p.residual != nullptr ? p.residual : p.y;
}
std::int64_t residual_pitch_or_y(const LibraryProduct& p) {
  return p.residual != nullptr ? p.residual_pitch : p.y_pitch;
}

std::optional<cublasLtMatmulAlgo_t> choose(cublasLtHandle_t handle, const LibraryProduct& p) {
  const Description description(p);
  const Layout a(p.input, p.depth, p.out, p.weight_pitch),
      b(p.input, p.depth, kTypicalRows, p.x_pitch);
  const Layout c(p.output, p.out, kTypicalRows, residual_pitch_or_y(p));
  const Layout d(p.output, p.out, kTypicalRows, p.y_pitch);
  Preference preference;
  preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes);
  // No depth is split: that would depend on the rows.
  const std::uint32_t no_split = CUBLASLT_REDUCTION_SCHEME_NONE;
  preference.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, no_split);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                 alignment_of(p.weight, p.weight_pitch, p.input));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(p.x, p.x_pitch, p.input));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
                 alignment_of(residual_or_y(p), residual_pitch_or_y(p), p.output));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
                 alignment_of(p.y, p.y_pitch, p.output));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle, description.description, a.layout, b.layout, c.layout,
                                     d.layout, preference.preference, 1, &found, &count);
  // It has two words for shapes and alignments that it does not take.
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE)
    return std::nullopt;
  check(status, "cublasLtMatmulAlgoGetHeuristic");
  if (count == 0 || found.state != CUBLAS_STATUS_SUCCESS) return std::nullopt;
  return found.algo;
}

}  // namespace

Runtime::Library::~Library() {
  if (handle != nullptr) cublasLtDestroy(handle);
}

std::size_t LibraryProduct::workspace_bytes() { return kWorkspaceBytes; }

bool LibraryProduct::enqueue(Runtime& runtime, QueueHandle queue, void* workspace) const {
  runtime.use();
  Runtime::Library& library = *runtime.library_;
  const Runtime::Library::Shape shape{
      depth,
      out,
      x_pitch,
      weight_pitch,
      y_pitch,
      residual_pitch_or_y(*this),
      static_cast<std::int64_t>(input),
      static_cast<std::int64_t>(output),
      static_cast<std::int64_t>(epilogue),
      residual != nullptr,
      alignment_of(x, x_pitch, input),
      alignment_of(y, y_pitch, output),
      alignment_of(residual_or_y(*this), residual_pitch_or_y(*this), output)};
  std::optional<cublasLtMatmulAlgo_t> algorithm;
  {
    std::lock_guard lock(library.mutex);
    if (library.handle == nullptr) check(cublasLtCreate(&library.handle), "cublasLtCreate");
    auto known = library.chosen.find(shape);
    if (known == library.chosen.end())
      known = library.chosen.emplace(shape, choose(library.handle, *this)).first;
    algorithm = known->second;
  }
  if (!algorithm) return false;
  const Description description(*this);
  const Layout a(input, depth, out, weight_pitch), b(input, depth, rows, x_pitch);
  const Layout c(output, out, rows, residual_pitch_or_y(*this)), d(output, out, rows, y_pitch);
  cublasLtMatmulHeuristicResult_t checked{};
  if (cublasLtMatmulAlgoCheck(library.handle, description.description, a.layout, b.layout, c.layout,
                              d.layout, &*algorithm, &checked) != CUBLAS_STATUS_SUCCESS ||
      checked.workspaceSize > kWorkspaceBytes)
    return false;
  const float one = 1, beta = residual != nullptr ? 1.0f : 0.0f;
  const cublasStatus_t status =
      cublasLtMatmul(library.handle, description.description, &one, weight, a.layout, x, b.layout,
                     &beta, residual_or_y(*this), c.layout, y, d.layout, &*algorithm, workspace,
                     kWorkspaceBytes, static_cast<cudaStream_t>(queue));
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return false;
  check(status, "cublasLtMatmul");
  return true;
}

}  // namespace vecframe::backends::cuda
