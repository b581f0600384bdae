#include "providers/remote/send_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <map>
#include <set>
#include <string>

namespace vecframe::providers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Group = SendQueue::Group;
using TimePoint = SendQueue::TimePoint;

// A server and a clock in the place of the real ones: `answer` says what becomes of a request.
class SendQueueTest : public testing::Test {
 protected:
  SendQueueTest() {
    endpoint_.provider = "openai";
    endpoint_.base_url = "http://host/v1";
    endpoint_.model = "m";
    endpoint_.key_name = "the environment variable OPENAI_API_KEY";
    endpoint_.format = find_wire_format("openai");
  }

  // Adds rows whose texts are "0", "1", ..., or so many bytes of them.
  void add(SendQueue& queue, std::size_t rows, std::size_t bytes = 0) {
    std::vector<SendQueue::Encoded> texts;
    for (std::size_t i = 0; i < rows; ++i) {
      std::string text = std::to_string(i);
      text.resize(std::max(text.size(), bytes), ' ');
      texts.emplace_back(std::make_shared<const std::string>(std::move(text)));
    }
    add(queue, std::move(texts));
  }
  void add(SendQueue& queue, std::vector<SendQueue::Encoded> texts) {
    const auto batch = queue.open(texts.size(), [this](SendQueue::BatchResult result) {
      results_.push_back(std::move(result));
    });
    queue.begin_part(*batch);
    queue.add(batch, endpoint_.format->text, 0, std::move(texts), now_);
  }

  // Sends until all is done, one request after the other; waits by the clock.
  void run(SendQueue& queue, const std::function<void(Group)>& answer) {
    for (int idle = 0; idle < 2;) {
      if (auto group = queue.next(now_)) {
        idle = 0;
        ++requests_;
        sent_at_.push_back(now_);
        answer(std::move(*group));
      } else if (const auto time = queue.wake_time(now_)) {
        now_ = *time;
      } else {
        ++idle;
      }
      for (auto& [done, result] : queue.take_finished()) done(std::move(result));
    }
  }

  static AnswerRows vectors_of(const Group& group) {
    AnswerRows rows;
    for (const auto& row : group.rows) rows.push_back({{std::stof(*row.text)}, {}});
    return rows;
  }
  static bool has(const Group& group, const std::set<std::size_t>& rows) {
    return std::any_of(group.rows.begin(), group.rows.end(),
                       [&](const SendQueue::Row& row) { return rows.contains(row.index); });
  }
  static Refusal refusal(Refusal::Kind kind, int status, const std::string& message = "no") {
    Refusal made;
    made.kind = kind;
    made.status = status;
    made.message = message;
    return made;
  }
  const std::vector<RowVector>& rows(std::size_t batch = 0) const {
    return std::get<std::vector<RowVector>>(results_.at(batch));
  }
  std::string failure(std::size_t batch = 0) const {
    try {
      std::rethrow_exception(std::get<std::exception_ptr>(results_.at(batch)));
    } catch (const RunError& error) {
      return error.what();
    }
  }
  // The vectors of all rows but those, which have errors.
  void expect_errors_at(const std::set<std::size_t>& bad, std::size_t batch = 0) {
    for (std::size_t i = 0; i < rows(batch).size(); ++i) {
      const RowVector& row = rows(batch)[i];
      EXPECT_EQ(row.error.empty(), !bad.contains(i)) << i << " " << row.error;
      if (bad.contains(i)) continue;
      EXPECT_THAT(row.values, testing::ElementsAre(static_cast<float>(i)));
    }
  }

  Endpoint endpoint_;
  SendRules rules_;
  TimePoint now_{seconds(1000)};
  std::vector<SendQueue::BatchResult> results_;
  int requests_ = 0;
  std::vector<TimePoint> sent_at_;
};

TEST_F(SendQueueTest, OneRequestForABatch) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 5);
  run(queue, [&](Group group) { queue.answered(group, vectors_of(group), now_); });
  EXPECT_EQ(requests_, 1);
  expect_errors_at({});
}

TEST_F(SendQueueTest, RowsThatCouldNotBeEncodedAreNotSent) {
  SendQueue queue(endpoint_, rules_);
  std::vector<SendQueue::Encoded> texts;
  texts.emplace_back(RowError{Stage::kPrepare, ErrorCode::kUnsupported, "no pixels"});
  add(queue, std::move(texts));
  run(queue, [&](Group) { FAIL(); });
  EXPECT_EQ(rows()[0].error, "no pixels");
}

TEST_F(SendQueueTest, ThreeBadRowsOf64CostAtMost37Requests) {
  for (const std::set<std::size_t>& bad :
       {std::set<std::size_t>{0, 31, 63}, {5, 6, 7}, {10, 30, 50}}) {
    results_.clear();
    requests_ = 0;
    SendQueue queue(endpoint_, rules_);
    add(queue, 64);
    run(queue, [&](Group group) {
      if (has(group, bad)) {
        queue.refused(group, refusal(Refusal::Kind::kRows, 400, "bad picture"), now_);
      } else {
        queue.answered(group, vectors_of(group), now_);
      }
    });
    expect_errors_at(bad);
    EXPECT_LE(requests_, 37);
    EXPECT_EQ(rows()[*bad.begin()].error, "bad picture");
  }
}

TEST_F(SendQueueTest, AHiddenLimitOfRowsIsLearned) {
  SendQueue queue(endpoint_, rules_);
  const auto server = [&](Group group) {
    if (group.rows.size() > 20) {
      queue.refused(group, refusal(Refusal::Kind::kRows, 422), now_);
    } else {
      queue.answered(group, vectors_of(group), now_);
    }
  };
  add(queue, 64);
  run(queue, server);
  expect_errors_at({});
  requests_ = 0;
  add(queue, 64);
  run(queue, server);
  expect_errors_at({}, 1);
  EXPECT_EQ(requests_, 4);
}

TEST_F(SendQueueTest, BadRowsTeachNoLimit) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 64);
  run(queue, [&](Group group) {
    if (has(group, {3})) return queue.refused(group, refusal(Refusal::Kind::kRows, 400), now_);
    queue.answered(group, vectors_of(group), now_);
  });
  requests_ = 0;
  add(queue, 64);
  run(queue, [&](Group group) { queue.answered(group, vectors_of(group), now_); });
  EXPECT_EQ(requests_, 1);
}

TEST_F(SendQueueTest, AHiddenLimitOfBytesIsLearnedInFourTries) {
  SendQueue queue(endpoint_, rules_);
  int refusals = 0;
  const auto server = [&](Group group) {
    if (group.bytes() > (5u << 20)) {
      ++refusals;
      queue.refused(group, refusal(Refusal::Kind::kTooLarge, 413), now_);
    } else {
      queue.answered(group, vectors_of(group), now_);
    }
  };
  for (int i = 0; i < 4; ++i) add(queue, 64, 500'000);
  run(queue, server);
  for (std::size_t i = 0; i < 4; ++i) expect_errors_at({}, i);
  EXPECT_LE(refusals, 4);
}

TEST_F(SendQueueTest, ARowThatAloneIsTooLargeIsAnError) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 1, 1000);
  run(queue, [&](Group group) {
    queue.refused(group, refusal(Refusal::Kind::kTooLarge, 413, "the server answers 413"), now_);
  });
  EXPECT_EQ(rows()[0].error, "the server answers 413");
  EXPECT_EQ(requests_, 1);
}

TEST_F(SendQueueTest, ABusyServerIsLeftAloneAsLongAsItAsks) {
  SendQueue queue(endpoint_, rules_);
  for (int i = 0; i < 3; ++i) add(queue, 2);
  Refusal busy = refusal(Refusal::Kind::kBusy, 429);
  busy.wait = milliseconds(2500);
  int answers = 0;
  run(queue, [&](Group group) {
    if (answers++ % 2 == 0) return queue.refused(group, busy, now_);
    queue.answered(group, vectors_of(group), now_);
  });
  for (std::size_t i = 0; i + 1 < sent_at_.size(); i += 2)
    EXPECT_GE(sent_at_[i + 1] - sent_at_[i], milliseconds(2500));
  for (std::size_t i = 0; i < 3; ++i) expect_errors_at({}, i);
}

TEST_F(SendQueueTest, AWaitBeyondTheDeadlineIsAnErrorAtOnce) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 2);
  Refusal busy = refusal(Refusal::Kind::kBusy, 429, "the server answers 429");
  busy.wait = milliseconds(1'000'000'000'000);
  const TimePoint before = now_;
  run(queue, [&](Group group) { queue.refused(group, busy, now_); });
  EXPECT_EQ(requests_, 1);
  EXPECT_EQ(now_, before);
  EXPECT_THAT(rows()[0].error, HasSubstr("429; the next try would be 100000000"));
  // Whoever comes later in the quiet is told as much, without a request.
  add(queue, 1);
  run(queue, [&](Group) { FAIL(); });
  EXPECT_THAT(rows(1)[0].error, HasSubstr("asks to wait"));
}

TEST_F(SendQueueTest, ABusyServerIsAskedUntilTheDeadline) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 2);
  const TimePoint before = now_;
  run(queue, [&](Group group) { queue.refused(group, refusal(Refusal::Kind::kBusy, 429), now_); });
  EXPECT_GT(requests_, 6);
  EXPECT_LE(requests_, 100);
  EXPECT_LE(now_ - before, rules_.row_deadline);
  EXPECT_FALSE(rows()[0].error.empty());
}

TEST_F(SendQueueTest, FailuresAreTriedAgainSoOften) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 2);
  run(queue, [&](Group group) {
    if (requests_ <= 5) return queue.refused(group, refusal(Refusal::Kind::kFailed, 500), now_);
    queue.answered(group, vectors_of(group), now_);
  });
  EXPECT_EQ(requests_, 6);
  expect_errors_at({});
  SendQueue unheard(endpoint_, rules_);
  add(unheard, 2);
  requests_ = 0;
  run(unheard, [&](Group group) {
    unheard.broken(group, HttpError(HttpError::Kind::kNetwork, "reset"), now_);
  });
  EXPECT_EQ(requests_, 6);
  EXPECT_EQ(rows(1)[1].error, "reset (6 tries)");
}

TEST_F(SendQueueTest, ARowOfTheLastBatchThatTheServerFailsAtIsFound) {
  SendQueue queue(endpoint_, rules_);
  const auto answer = [&](Group group) {
    const bool poisoned =
        group.rows.size() == 8 || std::any_of(group.rows.begin(), group.rows.end(),
                                              [](const auto& row) { return *row.text == "3"; });
    if (requests_ > 1 && poisoned)
      return queue.refused(group, refusal(Refusal::Kind::kFailed, 500), now_);
    queue.answered(group, vectors_of(group), now_);
  };
  add(queue, 8);
  run(queue, answer);
  add(queue, 8);  // nobody is beside it
  run(queue, answer);
  expect_errors_at({3}, 1);
}

TEST_F(SendQueueTest, ARowThatTheServerFailsAtIsFound) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 16);
  add(queue, 8);
  const auto poisoned = [](const Group& group) {
    return std::any_of(group.rows.begin(), group.rows.end(),
                       [](const SendQueue::Row& row) { return *row.text == "11"; });
  };
  run(queue, [&](Group group) {
    if (poisoned(group)) return queue.refused(group, refusal(Refusal::Kind::kFailed, 500), now_);
    queue.answered(group, vectors_of(group), now_);
  });
  ASSERT_EQ(results_.size(), 2u);
  const bool small_first = rows(0).size() == 8;
  expect_errors_at({}, small_first ? 0 : 1);
  expect_errors_at({11}, small_first ? 1 : 0);
  EXPECT_LE(requests_, 6 + 1 + 2 * 4);
}

TEST_F(SendQueueTest, WhereAllFailNoRowIsSingledOut) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 16);
  run(queue,
      [&](Group group) { queue.refused(group, refusal(Refusal::Kind::kFailed, 500), now_); });
  EXPECT_EQ(requests_, 6);
  EXPECT_EQ(rows()[15].error, "no (6 tries)");
}

TEST_F(SendQueueTest, PartsOfABatchAreOneBatch) {
  SendQueue queue(endpoint_, rules_);
  const auto batch = queue.open(
      4, [this](SendQueue::BatchResult result) { results_.push_back(std::move(result)); });
  for (std::size_t first = 0; first < 4; first += 2) {
    std::vector<SendQueue::Encoded> texts;
    for (std::size_t i = first; i < first + 2; ++i)
      texts.emplace_back(std::make_shared<const std::string>(std::to_string(i)));
    queue.begin_part(*batch);
    queue.add(batch, endpoint_.format->text, first, std::move(texts), now_);
    run(queue, [&](Group group) { queue.answered(group, vectors_of(group), now_); });
    EXPECT_EQ(results_.size(), first / 2);
  }
  expect_errors_at({});
}

TEST_F(SendQueueTest, ABatchWhoseRowsAreReadEndsAfterwards) {
  SendQueue queue(endpoint_, rules_);
  const auto batch = queue.open(
      1, [this](SendQueue::BatchResult result) { results_.push_back(std::move(result)); });
  queue.begin_part(*batch);
  queue.stop(std::make_exception_ptr(RunError("over")));
  run(queue, [&](Group) { FAIL(); });
  EXPECT_TRUE(results_.empty());
  std::vector<SendQueue::Encoded> texts;
  texts.emplace_back(std::make_shared<const std::string>("0"));
  queue.add(batch, endpoint_.format->text, 0, std::move(texts), now_);
  run(queue, [&](Group) { FAIL(); });
  EXPECT_EQ(failure(), "over");
}

TEST_F(SendQueueTest, RefusedCredentialsEndTheRun) {
  SendQueue queue(endpoint_, rules_);
  for (int i = 0; i < 3; ++i) add(queue, 2);
  run(queue, [&](Group group) {
    queue.refused(group, refusal(Refusal::Kind::kRun, 401, "the server answers 401"), now_);
  });
  EXPECT_EQ(requests_, 1);
  ASSERT_EQ(results_.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(failure(i), HasSubstr("openai: http://host/v1: the server answers 401"));
    EXPECT_THAT(failure(i), HasSubstr("OPENAI_API_KEY"));
  }
  add(queue, 1);
  run(queue, [&](Group) { FAIL(); });
  EXPECT_EQ(results_.size(), 4u);
}

TEST_F(SendQueueTest, WhereNobodyAnswersTheRunEnds) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 2);
  run(queue, [&](Group group) {
    queue.broken(group, HttpError(HttpError::Kind::kConnect, "host: refused"), now_);
  });
  EXPECT_EQ(requests_, 6);
  EXPECT_THAT(failure(), HasSubstr("check base_url (http://host/v1)"));
}

TEST_F(SendQueueTest, ACertificateThatProvesNothingIsNotAskedTwice) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 2);
  run(queue, [&](Group group) {
    queue.broken(group, HttpError(HttpError::Kind::kUntrusted, "certificate"), now_);
  });
  EXPECT_EQ(requests_, 1);
  EXPECT_THAT(failure(), HasSubstr("certificate"));
}

TEST_F(SendQueueTest, AnAnswerOfNoUseIsAskedForAgainInHalvesOnce) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 8);
  run(queue, [&](Group group) {
    if (has(group, {2})) return queue.faulty(group, {"the answer is not JSON"}, now_);
    queue.answered(group, vectors_of(group), now_);
  });
  EXPECT_EQ(requests_, 3);
  expect_errors_at({0, 1, 2, 3});
}

TEST_F(SendQueueTest, VectorsOfNoUseAreAskedForAgainOnce) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 8);
  std::vector<std::size_t> sizes;
  run(queue, [&](Group group) {
    sizes.push_back(group.rows.size());
    AnswerRows vectors = vectors_of(group);
    for (std::size_t i = 0; i < group.rows.size(); ++i) {
      if (group.rows[i].index == 2 || (group.rows[i].index == 5 && sizes.size() == 1))
        vectors[i] = {{}, "NaN"};
    }
    queue.answered(group, std::move(vectors), now_);
  });
  EXPECT_THAT(sizes, testing::ElementsAre(8, 2));
  expect_errors_at({2});
}

TEST_F(SendQueueTest, AServerWithoutBase64GetsNumbers) {
  SendQueue queue(endpoint_, rules_);
  add(queue, 4);
  add(queue, 4);
  int refusals = 0;
  run(queue, [&](Group group) {
    if (group.as_base64) {
      ++refusals;
      return queue.refused(group, refusal(Refusal::Kind::kBase64, 400), now_);
    }
    queue.answered(group, vectors_of(group), now_);
  });
  EXPECT_EQ(refusals, 1);
  expect_errors_at({});
}

TEST_F(SendQueueTest, RequestsStayBelowTheLimitsOfTheDialect) {
  endpoint_.format = find_wire_format("infinity");
  SendQueue queue(endpoint_, rules_);
  add(queue, 70);
  std::vector<std::size_t> sizes;
  run(queue, [&](Group group) {
    sizes.push_back(group.rows.size());
    queue.answered(group, vectors_of(group), now_);
  });
  EXPECT_THAT(sizes, testing::ElementsAre(32, 32, 6));
}

}  // namespace
}  // namespace vecframe::providers
