// Stands for libcuda.so.1 where a driver cannot be used: FAKE_DRIVER_VERSION is its version, and
// there is no device.
#include <cstring>

#define FAKE_DRIVER_EXPORT extern "C" __attribute__((visibility("default")))

constexpr int kNoDevice = 100;  // CUDA_ERROR_NO_DEVICE

FAKE_DRIVER_EXPORT int cuDriverGetVersion(int* version) {
  *version = FAKE_DRIVER_VERSION;
  return 0;
}

FAKE_DRIVER_EXPORT int cuInit(unsigned /*flags*/) { return kNoDevice; }

// By which the runtime asks for everything else.
FAKE_DRIVER_EXPORT int cuGetProcAddress_v2(const char* name, void** function, int /*version*/,
                                           unsigned long long /*flags*/, int* status) {
  const auto is = [name](const char* other) { return std::strcmp(name, other) == 0; };
  if (is("cuDriverGetVersion")) {
    *function = reinterpret_cast<void*>(&cuDriverGetVersion);
  } else if (is("cuGetProcAddress") || is("cuGetProcAddress_v2")) {
    *function = reinterpret_cast<void*>(&cuGetProcAddress_v2);
  } else {
    *function = reinterpret_cast<void*>(&cuInit);
  }
  if (status != nullptr) *status = 0;
  return 0;
}

FAKE_DRIVER_EXPORT int cuGetExportTable(const void** /*table*/, const void* /*name*/) {
  return kNoDevice;
}
