#include "providers/local/model_card.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace vecframe::providers {
namespace {

std::string licence_of(const std::string& readme) {
  std::string pattern = (std::filesystem::temp_directory_path() / "vecframe-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  std::ofstream(directory / "README.md") << readme;
  const std::string licence = read_licence(directory);
  std::filesystem::remove_all(directory);
  return licence;
}

TEST(ModelCard, LicenceIsInTheFrontMatter) {
  EXPECT_EQ(licence_of("---\ntags:\n- vision\nlicense: apache-2.0\n---\n# A model\n"),
            "Apache-2.0");
  EXPECT_EQ(licence_of("---\r\nlicense: \"mit\"\r\n---\r\n"), "MIT");
  EXPECT_EQ(licence_of("---\nlicense: other\n---\n"), "other");
  EXPECT_EQ(licence_of("---\ntags: x\n---\nlicense: mit\n"), "");
  EXPECT_EQ(licence_of("license: mit\n"), "");
  EXPECT_EQ(licence_of("---\nlicense:\n---\n"), "");
  EXPECT_EQ(licence_of(""), "");
  EXPECT_EQ(read_licence("/nowhere"), "");
}

TEST(ModelCard, RevisionIsTheSnapshotOfACache) {
  const std::string commit(40, 'a');
  EXPECT_EQ(snapshot_revision("/c/models--a--b/snapshots/" + commit), commit);
  EXPECT_EQ(snapshot_revision("/c/models--a--b/snapshots/" + commit + "/"), commit);
  EXPECT_EQ(snapshot_revision("/c/elsewhere/" + commit), "");
  EXPECT_EQ(snapshot_revision("/c/snapshots/main"), "");
}

}  // namespace
}  // namespace vecframe::providers
