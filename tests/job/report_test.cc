#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "job/embed_job.h"

namespace vecframe::job {
namespace {

TEST(ReportTest, HasStableNames) {
  Report report;
  report.statistics.rows = 10;
  report.statistics.failed = 4;
  report.statistics.failures = {{"read/not_found", 3}, {"decode/corrupt", 1}};
  report.statistics.seconds = 2;
  report.statistics.embed_seconds = 1.5;
  report.statistics.budget_bytes = 1000;
  report.statistics.peak_budget_bytes = 900;
  report.embedder.model = "m";
  report.embedder.dimension = 12;
  report.embedder.weight_bytes = 77;
  report.output = "caf\xe9.parquet";  // Latin-1, as a file name may be
  report.parts = {"a", "b"};
  const auto json = nlohmann::json::parse(report.to_json());
  EXPECT_EQ(json["rows"], 10);
  EXPECT_EQ(json["ok"], 6);
  EXPECT_EQ(json["failed"], 4);
  EXPECT_EQ(json["failures"]["read/not_found"], 3);
  EXPECT_EQ(json["images_per_second"], 5.0);
  EXPECT_EQ(json["stages"]["embed"], 1.5);
  EXPECT_EQ(json["memory"]["limit"], 1000);
  EXPECT_EQ(json["memory"]["budget_peak"], 900);
  EXPECT_EQ(json["memory"]["weights"], 77);
  EXPECT_EQ(json["model"]["name"], "m");
  EXPECT_EQ(json["model"]["precision"], "fp32");
  EXPECT_EQ(json["parts"].size(), 2u);
  for (const char* key : {"version", "seconds", "load_seconds", "bytes_read", "batches",
                          "batch_size", "threads", "output"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

TEST(ReportTest, OfNoRowsAndNoModel) {
  const auto json = nlohmann::json::parse(Report{}.to_json());
  EXPECT_EQ(json["images_per_second"], 0.0);
  EXPECT_TRUE(json["model"].is_null());
  EXPECT_TRUE(json["failures"].is_object());
}

}  // namespace
}  // namespace vecframe::job
