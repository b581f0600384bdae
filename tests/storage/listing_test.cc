#include "storage/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <vecframe/error.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "storage/directory_entries.h"
#include "temporary_directory.h"
#include "without_privileges.h"

namespace vecframe::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> list(std::vector<std::string> arguments) {
  const auto listing = list_images(std::move(arguments));
  std::vector<std::string> paths;
  while (auto path = listing->next()) paths.push_back(*path);
  EXPECT_FALSE(listing->next().has_value()) << "the end stays the end";
  return paths;
}

std::string refusal(std::vector<std::string> arguments) {
  try {
    list_images(std::move(arguments));
  } catch (const RequestError& error) {
    return error.what();
  }
  return "";
}

class ListingTest : public testing::Test {
 protected:
  // Paths relative to the temporary directory, to keep the expectations readable.
  void SetUp() override {
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(directory_.path());
  }
  void TearDown() override { std::filesystem::current_path(before_); }

  TemporaryDirectory directory_;
  std::filesystem::path before_;
};

TEST_F(ListingTest, ADirectoryGivesItsImagesOnly) {
  for (const char* name : {"p/a.jpg", "p/B.JPEG", "p/c.txt", "p/jpg", "p/.hidden.png", "p/.d/e.png",
                           "p/sub/f.WebP", "p/sub/deep/g.tif", "p/h.png.bak"}) {
    directory_.add(name);
  }
  EXPECT_THAT(list({"p"}), ElementsAre("p/B.JPEG", "p/a.jpg", "p/sub/deep/g.tif", "p/sub/f.WebP"));
}

TEST_F(ListingTest, PathsAreSpelledAsTheArgumentIs) {
  directory_.add("p/x/y.jpg");
  EXPECT_THAT(list({"p/"}), ElementsAre("p/x/y.jpg"));
  EXPECT_THAT(list({"./p"}), ElementsAre("./p/x/y.jpg"));
  EXPECT_THAT(list({"."}), ElementsAre("./p/x/y.jpg"));
  EXPECT_THAT(list({directory_.path()}), ElementsAre(directory_ / "p/x/y.jpg"));
  EXPECT_THAT(list({"*/x/*.jpg"}), ElementsAre("p/x/y.jpg"));
  EXPECT_THAT(list({"./p//x/*.jpg"}), ElementsAre("./p//x/y.jpg"));
  EXPECT_THAT(list({directory_ / "**"}), ElementsAre(directory_ / "p/x/y.jpg"));
  EXPECT_THAT(list({"p/x/../x/y.jpg"}), ElementsAre("p/x/../x/y.jpg"));
}

TEST_F(ListingTest, TheOrderIsThatOfWholePathsByteByByte) {
  std::mt19937 random(7);
  const std::string alphabet = "a-.0B_\xC3";
  std::vector<std::string> expected;
  for (int i = 0; i < 400; ++i) {
    std::string path = "p";
    for (int depth = std::uniform_int_distribution(1, 4)(random); depth > 0; --depth) {
      path += "/n";
      for (int n = std::uniform_int_distribution(0, 2)(random); n > 0; --n) {
        path +=
            alphabet[std::uniform_int_distribution<std::size_t>(0, alphabet.size() - 1)(random)];
      }
    }
    path += std::to_string(i % 7) + ".png";
    if (std::filesystem::exists(path)) continue;
    directory_.add(path);
    expected.push_back(path);
  }
  std::sort(expected.begin(), expected.end());
  ASSERT_GT(expected.size(), 200u);
  EXPECT_EQ(list({"p"}), expected);
  EXPECT_EQ(list({"p/**/*.png"}), expected);
  EXPECT_EQ(list({"p/**"}), expected);
}

TEST_F(ListingTest, ArgumentsKeepTheirOrderAndAPathReachedTwiceIsOneRow) {
  for (const char* name : {"a/1.jpg", "a/2.jpg", "b/3.jpg"}) directory_.add(name);
  EXPECT_THAT(list({"b", "a"}), ElementsAre("b/3.jpg", "a/1.jpg", "a/2.jpg"));
  EXPECT_THAT(list({"a/2.jpg", "a"}), ElementsAre("a/2.jpg", "a/1.jpg"));
  EXPECT_THAT(
      list({"a", "a/2.jpg", "a//2.jpg", "./a/2.jpg", "b/../a/2.jpg", directory_ / "a/2.jpg"}),
      ElementsAre("a/1.jpg", "a/2.jpg"));
  EXPECT_THAT(list({"*/1.jpg", ".", "a/*"}), ElementsAre("a/1.jpg", "./a/2.jpg", "./b/3.jpg"));
}

TEST_F(ListingTest, RootsThatOnlyBeginAlikeDoNotOverlap) {
  for (const char* name : {"a/1.jpg", "a-b/1.jpg", "a/c/1.jpg", "ab/1.jpg"}) directory_.add(name);
  EXPECT_THAT(list({"ab", "a/c", "a", "a-b"}),
              ElementsAre("ab/1.jpg", "a/c/1.jpg", "a/1.jpg", "a-b/1.jpg"));
}

TEST_F(ListingTest, FilesAndGlobsMakeARowWhateverTheirExtension) {
  for (const char* name : {"a.txt", "b.jpg", ".c.png"}) directory_.add(name);
  EXPECT_THAT(list({"a.txt"}), ElementsAre("a.txt"));
  EXPECT_THAT(list({"*"}), ElementsAre("a.txt", "b.jpg"));
  EXPECT_THAT(list({".*"}), ElementsAre(".c.png"));
}

TEST_F(ListingTest, TwoStarsAreAnyNumberOfDirectories) {
  for (const char* name : {"p/1.jpg", "p/a/2.jpg", "p/a/b/3.jpg", "p/.h/4.jpg", "p/a/b/n.txt"}) {
    directory_.add(name);
  }
  EXPECT_THAT(list({"p/**/*.jpg"}), ElementsAre("p/1.jpg", "p/a/2.jpg", "p/a/b/3.jpg"));
  EXPECT_THAT(list({"**/b/**/*.jpg"}), ElementsAre("p/a/b/3.jpg"));
  EXPECT_THAT(list({"p/**/**/3.*"}), ElementsAre("p/a/b/3.jpg"));
  EXPECT_THAT(list({"p/.h/*"}), ElementsAre("p/.h/4.jpg"));
  EXPECT_THAT(list({"p/**"}), ElementsAre("p/1.jpg", "p/a/2.jpg", "p/a/b/3.jpg", "p/a/b/n.txt"));
}

TEST_F(ListingTest, ADirectoryThatAGlobMatchesIsWalked) {
  for (const char* name : {"p/a/x/1.jpg", "p/a/n.txt", "p/b.txt"}) directory_.add(name);
  EXPECT_THAT(list({"p/*"}), ElementsAre("p/a/x/1.jpg", "p/b.txt"));
  EXPECT_THAT(list({"p/*/"}), ElementsAre("p/a/x/1.jpg"));
}

TEST_F(ListingTest, WhatExistsIsItselfWhateverItsNameHolds) {
  for (const char* name : {"a[1].jpg", "a1.jpg", "d*/b.jpg", "dd/c.jpg"}) directory_.add(name);
  EXPECT_THAT(list({"a[1].jpg"}), ElementsAre("a[1].jpg"));
  EXPECT_THAT(list({"d*"}), ElementsAre("d*/b.jpg"));
}

TEST_F(ListingTest, LinksToFilesAreRowsAndLinksToDirectoriesAreNotFollowed) {
  directory_.add("p/a/1.jpg");
  std::filesystem::create_symlink("a/1.jpg", "p/link.jpg");
  std::filesystem::create_symlink("nowhere", "p/broken.jpg");
  std::filesystem::create_directory_symlink("..", "p/a/up");
  std::filesystem::create_directory_symlink("a", "p/dir.jpg");
  EXPECT_THAT(list({"p"}), ElementsAre("p/a/1.jpg", "p/broken.jpg", "p/link.jpg"));
  EXPECT_THAT(list({"p/**/*.jpg"}), ElementsAre("p/a/1.jpg", "p/broken.jpg", "p/link.jpg"));
  EXPECT_THAT(list({"p/dir*/1.jpg"}), ElementsAre("p/dir.jpg/1.jpg")) << "the pattern names it";
  EXPECT_THAT(list({"p/dir.jpg"}), ElementsAre("p/dir.jpg/1.jpg"));
  EXPECT_THAT(list({"p/broken.jpg"}), ElementsAre("p/broken.jpg"));
}

TEST_F(ListingTest, NothingMatchedIsRefusedAndNothingInsideIsFine) {
  std::filesystem::create_directories("empty/inner");
  EXPECT_THAT(list({"empty"}), IsEmpty());
  EXPECT_THAT(refusal({"absent"}), HasSubstr("'absent'"));
  EXPECT_THAT(refusal({"empty", "absent/x.jpg"}), HasSubstr("'absent/x.jpg'"));
  EXPECT_THAT(refusal({"empty/*.jpg"}), HasSubstr("'empty/*.jpg'"));
  EXPECT_THAT(refusal({"absent/**/*.jpg"}), HasSubstr("matches nothing"));
  EXPECT_THAT(refusal({""}), HasSubstr("empty"));
  EXPECT_THAT(refusal({}), IsEmpty());
}

TEST_F(ListingTest, ADirectoryThatCannotBeReadIsARow) {
  directory_.add("p/a.jpg");
  directory_.add("p/locked/b.jpg");
  directory_.add("p/z.jpg");
  ASSERT_EQ(::chmod("p/locked", 0), 0);
  {
    const WithoutPrivileges nobody;
    EXPECT_THAT(list({"p"}), ElementsAre("p/a.jpg", "p/locked", "p/z.jpg"));
    EXPECT_THAT(list({"p/**/*.jpg"}), ElementsAre("p/a.jpg", "p/locked", "p/z.jpg"));
    EXPECT_THAT(list({"p/locked"}), ElementsAre("p/locked"));
    EXPECT_THAT(list({"p/locked/b.jpg"}), ElementsAre("p/locked/b.jpg")) << "there, out of reach";
  }
  ::chmod("p/locked", 0700);
}

TEST_F(ListingTest, AFileThatVanishesBeforeItsTurnIsStillARow) {
  directory_.add("a.jpg");
  directory_.add("d/b.jpg");
  const auto listing = list_images({"a.jpg", "d"});
  std::filesystem::remove("a.jpg");
  std::filesystem::remove_all("d");
  EXPECT_EQ(listing->next(), "a.jpg");
  EXPECT_EQ(listing->next(), std::nullopt);
}

TEST_F(ListingTest, NamesThatAreNotUtf8KeepTheirBytes) {
  directory_.add("p/\xFF.jpg");
  EXPECT_THAT(list({"p"}), ElementsAre("p/\xFF.jpg"));
}

TEST(ImageExtensions, AreLowerCaseAndSorted) {
  const auto extensions = image_extensions();
  EXPECT_TRUE(std::is_sorted(extensions.begin(), extensions.end()));
  for (const std::string_view extension : extensions) {
    EXPECT_TRUE(extension.starts_with('.'));
    EXPECT_TRUE(std::none_of(extension.begin(), extension.end(),
                             [](char c) { return c >= 'A' && c <= 'Z'; }));
  }
}

TEST(DirectoryEntriesTest, BlocksThatAreFullAreMergedInOrder) {
  TemporaryDirectory directory;
  std::mt19937 random(11);
  const std::string alphabet = "a-.0B_\xC3";
  for (int i = 0; i < 800; ++i) {
    std::string name;
    for (std::uint32_t length = 1 + random() % 8; length > 0; --length)
      name += alphabet[random() % alphabet.size()];
    if (name == "." || name == ".." || std::filesystem::exists(directory / name)) continue;
    random() % 5 == 0 ? static_cast<void>(std::filesystem::create_directory(directory / name))
                      : static_cast<void>(directory.add(name));
  }
  const auto names = [&](std::size_t block_bytes) {
    DirectoryEntries entries(directory.path(), block_bytes);
    std::vector<std::pair<std::string, DirectoryEntries::Kind>> all;
    while (const auto entry = entries.next()) all.emplace_back(entry->name, entry->kind);
    EXPECT_FALSE(entries.next()) << "the end stays the end";
    return all;
  };
  const auto expected = names(DirectoryEntries::kBlockBytes);
  EXPECT_GT(expected.size(), 300u);
  for (const std::size_t block_bytes : {1, 100, 1000}) EXPECT_EQ(names(block_bytes), expected);
}

}  // namespace
}  // namespace vecframe::storage
