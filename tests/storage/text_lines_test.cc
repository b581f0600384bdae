#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <string>
#include <vector>

#include "storage/text_source.h"
#include "temporary_directory.h"

namespace vecframe::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Outcome = TextSource::Outcome;

constexpr std::chrono::milliseconds kPatience{5000};

std::vector<std::string> lines_of(const std::string& content) {
  const TemporaryDirectory directory;
  const std::string path = directory.add("texts.txt", content);
  const auto source = open_text_lines(path);
  std::vector<std::string> lines;
  TextRow row;
  Outcome outcome;
  while ((outcome = source->next(row, kPatience)) == Outcome::kRow) {
    EXPECT_EQ(row.label, path + ":" + std::to_string(lines.size() + 1));
    lines.push_back(row.error ? "<" + row.error->to_string() + ">" : row.text);
  }
  EXPECT_EQ(outcome, Outcome::kEnd);
  return lines;
}

TEST(TextLines, SplitsAtLineFeeds) {
  EXPECT_THAT(lines_of(""), IsEmpty());
  EXPECT_THAT(lines_of("a"), ElementsAre("a"));
  EXPECT_THAT(lines_of("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines_of("\n"), ElementsAre(""));
  EXPECT_THAT(lines_of("a\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("a\n\n"), ElementsAre("a", ""));
}

TEST(TextLines, TakesTheCarriageReturnBeforeALineFeedOnly) {
  EXPECT_THAT(lines_of("a\r\n\r\nb\r"), ElementsAre("a", "", "b\r"));
  EXPECT_THAT(lines_of("a\rb\r\r\n"), ElementsAre("a\rb\r"));
}

TEST(TextLines, DropsAByteOrderMarkAtTheBeginning) {
  EXPECT_THAT(lines_of("\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo"), ElementsAre("one", "\xEF\xBB\xBFtwo"));
  EXPECT_THAT(lines_of("\xEF\xBB\xBF"), ElementsAre(""));
}

TEST(TextLines, KeepsZeroBytesAndOtherSeparators) {
  const std::string zero("a\0b", 3);
  EXPECT_THAT(lines_of(zero + "\n\v\f\xE2\x80\xA8"), ElementsAre(zero, "\v\f\xE2\x80\xA8"));
}

TEST(TextLines, ALineThatIsNotUtf8IsARowThatFails) {
  EXPECT_THAT(lines_of("good\nbad \xFF\nagain"),
              ElementsAre("good", "<read/corrupt: the line is not UTF-8>", "again"));
}

TEST(TextLines, ALineIsBounded) {
  const std::string longest(kMaxTextBytes, 'x');
  EXPECT_THAT(
      lines_of(longest + "\r\n" + longest + "y\nz"),
      ElementsAre(longest, "<read/over_budget: the line is longer than 1048576 bytes>", "z"));
  // Far longer than what is kept of it.
  EXPECT_THAT(lines_of(std::string(5 * kMaxTextBytes, 'x') + "\nz"),
              ElementsAre("<read/over_budget: the line is longer than 1048576 bytes>", "z"));
}

TEST(TextLines, RefusesWhatIsNoFile) {
  const auto message = [](const std::string& path) {
    try {
      open_text_lines(path);
    } catch (const RequestError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message("/nowhere/at all"), HasSubstr("'/nowhere/at all' cannot be read"));
  EXPECT_THAT(message("/tmp"), HasSubstr("'/tmp' is a directory"));
}

// A pipe in place of standard input.
class StandardInput {
 public:
  StandardInput() : saved_(::dup(STDIN_FILENO)) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    writer_ = ends[1];
  }
  ~StandardInput() {
    close();
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }
  void write(const std::string& text) {
    EXPECT_EQ(::write(writer_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close() {
    if (writer_ >= 0) ::close(writer_);
    writer_ = -1;
  }

 private:
  int saved_, writer_;
};

TEST(TextLines, GivesWhatAPipeHasAndSaysWhenItWaits) {
  StandardInput input;
  const auto source = open_text_lines("-");
  TextRow row;
  EXPECT_EQ(source->next(row, std::chrono::milliseconds(1)), Outcome::kWaiting);
  input.write("one\ntw");
  EXPECT_EQ(source->next(row, kPatience), Outcome::kRow);
  EXPECT_EQ(row.text, "one");
  EXPECT_EQ(row.label, "standard input:1");
  EXPECT_EQ(source->next(row, std::chrono::milliseconds(1)), Outcome::kWaiting);
  input.write("o");
  input.close();
  EXPECT_EQ(source->next(row, kPatience), Outcome::kRow);
  EXPECT_EQ(row.text, "two");
  EXPECT_EQ(source->next(row, kPatience), Outcome::kEnd);
  EXPECT_EQ(source->next(row, kPatience), Outcome::kEnd);
}

}  // namespace
}  // namespace vecframe::storage
