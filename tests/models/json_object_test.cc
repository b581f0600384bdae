#include "models/json_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include "temporary_model.h"

namespace vecframe::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(JsonObject, ReadsTypedValues) {
  const auto object = JsonObject::parse(
      R"({"n":12,"whole":12.0,"x":1e-5,"s":"gelu","f":false,"none":null,"o":{"k":3},"l":[1,2.5]})",
      "c");
  EXPECT_EQ(object.integer("n", 0, 100), 12);
  EXPECT_EQ(object.integer("whole", 0, 100), 12);
  EXPECT_EQ(object.integer_or("none", 5, 0, 100), 5);
  EXPECT_DOUBLE_EQ(object.number_or("x", 0), 1e-5);
  EXPECT_EQ(object.text_or("s", ""), "gelu");
  EXPECT_FALSE(object.flag_or("f", true));
  EXPECT_FALSE(object.has("none"));
  EXPECT_EQ(object.object("o")->integer("k", 0, 9), 3);
  EXPECT_EQ(object.object("o")->label(), "c: o");
  EXPECT_FALSE(object.object("absent"));
  EXPECT_THAT(object.numbers("l"), ElementsAre(1.0, 2.5));
}

TEST(JsonObject, ComplaintsNameFileAndKey) {
  const auto object =
      JsonObject::parse(R"({"n":-1,"big":1e300,"half":0.5,"s":3,"o":[1],"t":["a",1]})", "c.json");
  const auto complaint = [](auto action) { return message_of<RequestError>(action); };
  EXPECT_EQ(complaint([&] { object.integer("n", 1, 9); }),
            "c.json: 'n' is -1, not a whole number from 1 to 9");
  EXPECT_THAT(complaint([&] { object.integer("big", 1, 9); }), HasSubstr("not a whole number"));
  EXPECT_THAT(complaint([&] { object.integer("half", 0, 9); }), HasSubstr("not a whole number"));
  EXPECT_EQ(complaint([&] { object.integer("absent", 1, 9); }), "c.json: 'absent' is missing");
  EXPECT_EQ(complaint([&] { object.text_or("s", ""); }), "c.json: 's' is not a string");
  EXPECT_EQ(complaint([&] { object.flag_or("s", true); }), "c.json: 's' is not true or false");
  EXPECT_EQ(complaint([&] { object.object("o"); }), "c.json: 'o' is not an object");
  EXPECT_EQ(complaint([&] { object.numbers("t"); }), "c.json: 't' is not a list of numbers");
}

TEST(JsonObject, RefusesWhatIsNoObject) {
  const auto complaint = [](const std::string& text) {
    return message_of<RequestError>([&] { JsonObject::parse(text, "c"); });
  };
  EXPECT_THAT(complaint("{"), StartsWith("c: not valid JSON"));
  EXPECT_THAT(complaint(""), StartsWith("c: not valid JSON"));
  EXPECT_THAT(complaint("[1]"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(complaint("{\"a\":" + std::string(1 << 20, '[')), HasSubstr("nested too deeply"));
}

TEST(JsonObject, RefusesLargeFilesUnread) {
  TemporaryModel model;
  model.write("c.json", R"({"a": "0123456789"})");
  EXPECT_THAT(message_of<RequestError>([&] { JsonObject::read(model.directory() / "c.json", 8); }),
              HasSubstr("bytes are more than"));
}

}  // namespace
}  // namespace vecframe::models
