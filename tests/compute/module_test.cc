// Backends in shared objects: the CUDA backend with its two emulated devices, and the real one
// where it was built.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "compute/registry.h"
#include "cuda_module.h"

namespace vecframe::compute {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string module_path(const std::string& name) {
  const std::string folder = std::string(VECFRAME_TEST_MODULES) + "/";
  return name.find('/') == std::string::npos ? folder + "lib" + name + ".so" : folder + name;
}

Registry registry_of(const std::string& path, bool may_have_device = true) {
  Registry registry;
  registry.add({"cpu", 100, [] { return nullptr; }});
  registry.add_module({"cuda", path, [may_have_device] { return may_have_device; }});
  return registry;
}

std::string refusal(const Registry& registry, const char* device) {
  try {
    registry.open_replicas(device);
  } catch (const RequestError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "more than a line";
    return error.what();
  }
  ADD_FAILURE() << device << " was opened";
  return {};
}

class Modules : public testing::Test {
 protected:
  Registry emulated_ = registry_of(module_path("vecframe_cuda_emulated"));
};

TEST_F(Modules, AReplicaForEveryDeviceOrThoseThatAreNamed) {
  EXPECT_EQ(emulated_.open_replicas("cuda").size(), 2u);
  EXPECT_EQ(emulated_.open_replicas("cuda:0,1").size(), 2u);
  const auto second = emulated_.open_replicas("cuda:1");
  ASSERT_EQ(second.size(), 1u);
  EXPECT_THAT(second.front()->info().details, HasSubstr("1: "));
  EXPECT_THAT(emulated_.open("cuda")->info().details, HasSubstr("0: "));
  EXPECT_FALSE(second.front()->info().host_memory);
}

TEST_F(Modules, WhatIsOpenedComputes) {
  const auto backend = emulated_.open("cuda:1");
  const std::vector<float> weight{2};
  const auto linear = backend->pack(LinearWeights{weight, {}, 1, 1}, tensor::Precision::kFp32);
  const auto stream = backend->make_stream();
  const Matrix x{stream->allocate(1), 1, 1, 1}, y{stream->allocate(1), 1, 1, 1};
  std::vector<float> value{21};
  stream->upload(value, x);
  stream->linear(*linear, x, Activation::kNone, {}, y);
  stream->download(y, value);
  EXPECT_EQ(value.front(), 42);
}

TEST_F(Modules, ADeviceThatIsNotThereSaysWhatWasFound) {
  EXPECT_THAT(refusal(emulated_, "cuda:2"),
              AllOf(HasSubstr("'cuda:2'"), HasSubstr("2 devices were found"),
                    HasSubstr("1: host emulation"), HasSubstr("cpu")));
  EXPECT_THAT(refusal(emulated_, "cuda:0,5"), HasSubstr("2 devices were found"));
}

TEST_F(Modules, ANumberThatIsNoneIsExplained) {
  for (const char* device : {"cuda:", "cuda:x", "cuda:-1", "cuda:1,", "cuda:1 ", "cuda:1,1"})
    EXPECT_THAT(refusal(emulated_, device), HasSubstr("cuda:0,2")) << device;
  EXPECT_THAT(refusal(emulated_, "cuda1"), HasSubstr("use one of: auto, cpu, cuda"));
}

TEST_F(Modules, AutoTakesItWhereThereMayBeADevice) {
  EXPECT_EQ(emulated_.open_replicas("auto").size(), 2u);
  const Registry without =
      registry_of(module_path("vecframe_cuda_emulated"), /*may_have_device=*/false);
  const auto chosen = without.open_replicas("auto");
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen.front(), nullptr) << "not the processor's";
}

TEST_F(Modules, AutoPassesOverWhatCannotBeOpened) {
  for (const char* name : {"is_not_there", "wrong_abi_module"})
    EXPECT_EQ(registry_of(module_path(name)).open_replicas("auto").front(), nullptr);
}

TEST_F(Modules, AMissingObjectIsABuildWithoutIt) {
  EXPECT_THAT(
      refusal(registry_of(module_path("is_not_there")), "cuda"),
      AllOf(HasSubstr("this build has no cuda backend"), HasSubstr("use one of: auto, cpu")));
}

TEST_F(Modules, AnotherVersionIsRefused) {
  EXPECT_THAT(refusal(registry_of(module_path("wrong_abi_module")), "cuda"),
              HasSubstr("belongs to another version"));
}

TEST_F(Modules, TheRealOneLoadsAndSaysWhatItFound) {
  if (std::string(VECFRAME_CUDA_MODULE).empty())
    GTEST_SKIP() << "nvcc was not there when this was built";
  std::string problem;
  const BackendModule* module = open_backend_module(VECFRAME_CUDA_MODULE, problem);
  ASSERT_NE(module, nullptr) << problem;
  EXPECT_EQ(module->abi(), kBackendAbi);
  if (module->count_devices(problem) > 0) {
    EXPECT_EQ(module->make(0)->info().name, "cuda");
    return;
  }
  EXPECT_FALSE(problem.empty());
  EXPECT_THAT(refusal(registry_of(VECFRAME_CUDA_MODULE), "cuda"),
              AllOf(HasSubstr(problem), HasSubstr("use one of: auto, cpu")));
}

TEST_F(Modules, ALibraryThatIsMissingIsNamed) {
  EXPECT_THAT(refusal(registry_of(module_path("lacking_module")), "cuda"),
              AllOf(HasSubstr("libneeded_library.so: cannot open shared object file"),
                    HasSubstr("use one of: auto, cpu")));
}

// In a process of its own, since the CUDA runtime looks for its driver once. Tells what was found.
[[noreturn]] void ask_real_module(const std::string& driver) {
  std::string problem;
  if (dlopen(module_path(driver + "/libcuda.so.1").c_str(), RTLD_NOW) == nullptr)
    problem = dlerror();
  const BackendModule* module = open_backend_module(VECFRAME_CUDA_MODULE, problem);
  const int count = module == nullptr ? -1 : module->count_devices(problem);
  std::fprintf(stderr, "%d: %s\n", count, problem.c_str());
  std::_Exit(0);
}

class DriversDeathTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(VECFRAME_CUDA_MODULE).empty())
      GTEST_SKIP() << "nvcc was not there when this was built";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

TEST_F(DriversDeathTest, OneThatIsTooOldIsNamedWithItsVersion) {
  EXPECT_EXIT(ask_real_module("driver_12040"), testing::ExitedWithCode(0),
              "^0: the NVIDIA driver is for CUDA 12.4, and this build needs one for 13.0 or later");
}

TEST_F(DriversDeathTest, OneWithoutADeviceSaysSo) {
  unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_EXIT(ask_real_module("driver_13000"), testing::ExitedWithCode(0),
              "^0: no CUDA-capable device is detected\n");
}

TEST_F(DriversDeathTest, DevicesThatAreHiddenAreSpokenOf) {
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  EXPECT_EXIT(ask_real_module("driver_13000"), testing::ExitedWithCode(0),
              "^0: no CUDA-capable device is detected, CUDA_VISIBLE_DEVICES is ''");
  unsetenv("CUDA_VISIBLE_DEVICES");
}

}  // namespace
}  // namespace vecframe::compute
