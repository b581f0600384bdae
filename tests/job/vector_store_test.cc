#include "job/vector_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <thread>

#include "job_run.h"

namespace vecframe::job {
namespace {

constexpr std::int64_t kDimension = 96;

Hash128 content(std::uint64_t number) { return {number * 0x9E3779B97F4A7C15u, number}; }

std::vector<float> vector_of(std::uint64_t number) {
  std::vector<float> vector(kDimension);
  for (std::size_t i = 0; i < vector.size(); ++i) vector[i] = static_cast<float>(number * 100 + i);
  return vector;
}

std::int64_t count_known(VectorStore& store, std::uint64_t first, std::uint64_t last) {
  std::int64_t known = 0;
  std::vector<float> vector(kDimension);
  for (std::uint64_t number = first; number < last; ++number) {
    if (!store.find(content(number), vector)) continue;
    EXPECT_EQ(vector, vector_of(number));
    ++known;
  }
  return known;
}

TEST(VectorStoreTest, KeepsVectorsAcrossItsLives) {
  TemporaryDirectory directory;
  const VectorStoreOptions options{directory.file("a/cache")};
  for (int life = 0; life < 3; ++life) {
    VectorStore store(options, {1, 1});
    EXPECT_EQ(count_known(store, 0, 300), life * 100);
    const auto first = static_cast<std::uint64_t>(life) * 100;
    for (std::uint64_t number = first; number < first + 100; ++number)
      store.store(content(number), vector_of(number));
    EXPECT_EQ(count_known(store, first, first + 100), 100) << "those held back too";
  }
}

TEST(VectorStoreTest, RecipesAndLengthsDoNotMix) {
  TemporaryDirectory directory;
  VectorStore store({directory.path()}, {1, 1}), other({directory.path()}, {1, 2});
  store.store(content(1), vector_of(1));
  store.flush();
  EXPECT_EQ(count_known(store, 1, 2), 1);
  EXPECT_EQ(count_known(other, 1, 2), 0);
  std::vector<float> longer(kDimension + 1);
  EXPECT_FALSE(store.find(content(1), longer));

  embed::EmbedderFacts facts;
  facts.model_fingerprint = "a";
  const Hash128 recipe = vector_recipe(facts, exec::kUpright);
  EXPECT_NE(vector_recipe(facts, exec::kAsStored), recipe);
  facts.precision = tensor::Precision::kBf16;
  EXPECT_NE(vector_recipe(facts, exec::kUpright), recipe);
}

class FullStoreTest : public testing::TestWithParam<std::size_t> {};

TEST_P(FullStoreTest, TheOldestGo) {
  TemporaryDirectory directory;
  const VectorStoreOptions options{directory.path(), VectorStore::kLeastBytes};
  const std::size_t dimension = GetParam();
  const auto make = [&](std::uint64_t number) {
    return std::vector<float>(dimension, static_cast<float>(number));
  };
  const std::uint64_t count = (std::uint64_t{128} << 20) / (4 * dimension);  // twice what fits
  {
    VectorStore store(options, {1, 1});
    for (std::uint64_t number = 0; number < count; ++number)
      store.store(content(number), make(number));
  }
  VectorStore store(options, {1, 1});
  std::vector<float> vector(dimension);
  const auto known = [&](std::uint64_t first, std::uint64_t last) {
    std::uint64_t sum = 0;
    for (std::uint64_t number = first; number < last; ++number) {
      if (!store.find(content(number), vector)) continue;
      EXPECT_EQ(vector, make(number));
      ++sum;
    }
    return sum;
  };
  EXPECT_EQ(known(count - count / 8, count), count / 8) << "the youngest stay";
  EXPECT_EQ(known(0, count / 8), 0u) << "the oldest are gone";
  EXPECT_LE(std::filesystem::file_size(directory.file("data.mdb")),
            static_cast<std::uintmax_t>(VectorStore::kLeastBytes));
}

INSTANTIATE_TEST_SUITE_P(Dimensions, FullStoreTest, testing::Values(768, 4096));

TEST(VectorStoreTest, ThreadsShareIt) {
  TemporaryDirectory directory;
  VectorStore store({directory.path()}, {1, 1});
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (std::uint64_t number = thread * 500; number < (thread + 1) * 500; ++number) {
        store.store(content(number), vector_of(number));
        EXPECT_EQ(count_known(store, number, number + 1), 1);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count_known(store, 0, 2000), 2000);
}

TEST(VectorStoreTest, ProcessesShareItAndOneMayBeKilled) {
  TemporaryDirectory directory;
  std::vector<pid_t> children;
  for (std::uint64_t child = 0; child < 3; ++child) {
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      try {
        VectorStore store({directory.path()}, {1, 1});
        for (std::uint64_t number = child * 1000; number < (child + 1) * 1000; ++number)
          store.store(content(number), vector_of(number));
        store.flush();
        if (child == 2) raise(SIGKILL);  // after its last word
      } catch (...) {
        _exit(1);
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  }
  VectorStore store({directory.path()}, {1, 1});
  EXPECT_EQ(count_known(store, 0, 3000), 3000);
}

TEST(VectorStoreTest, RefusesWhatIsNoCache) {
  TemporaryDirectory directory;
  exec::write_bytes(directory.file("plain"), "x");
  EXPECT_THROW(VectorStore({directory.file("plain")}, {1, 1}), RequestError);
  std::filesystem::create_directory(directory.file("other"));
  exec::write_bytes(directory.file("other/data.mdb"), std::string(20000, 'x'));
  EXPECT_THROW(VectorStore({directory.file("other")}, {1, 1}), RequestError);
}

}  // namespace
}  // namespace vecframe::job
