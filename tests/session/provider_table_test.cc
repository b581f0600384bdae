#include "session/provider_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>
#include <vecframe/expression.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "session/gpus.h"
#include "session/local_models.h"
#include "session/provider_options.h"
#include "session/resolution.h"

namespace vecframe::session {
namespace {

using testing::HasSubstr;

class Named final : public Provider {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::vector<OptionSpec> options() const override {
    using Type = OptionSpec::Type;
    std::vector<OptionSpec> specs(4);
    specs[0].name = "quality";
    specs[0].type = Type::kInteger;
    specs[0].minimum = 1;
    specs[0].maximum = 100;
    specs[1].name = "color";
    specs[1].choices = {"red", "green"};
    specs[2].name = "api_key";
    specs[2].secret = true;
    specs[3].name = "weight";
    specs[3].type = Type::kNumber;
    return specs;
  }

 private:
  std::string name_;
};

std::shared_ptr<const Provider> named(const std::string& name) {
  return std::make_shared<Named>(name);
}

template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const RequestError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(ProviderTable, TheFirstAttachedIsCurrentUntilAnotherIsChosen) {
  ProviderTable table;
  EXPECT_EQ(table.choice().provider, nullptr);
  const auto a = named("a"), b = named("b");
  table.attach(a, {});
  table.attach(b, "other");
  EXPECT_EQ(table.choice().provider, a);
  table.choose("other", {}, "large");
  EXPECT_EQ(table.choice().provider, b);
  EXPECT_EQ(table.choice().model, "large");
  table.detach("other");
  EXPECT_EQ(table.choice().provider, nullptr);
  EXPECT_FALSE(table.choice().model);
  EXPECT_EQ(table.get("a"), a);
}

TEST(ProviderTable, NamesAreTakenOrMissing) {
  ProviderTable table;
  table.attach(named("mine"), {});
  EXPECT_THAT(refusal([&] { table.attach(named("mine"), {}); }),
              HasSubstr("Provider with name mine already exists!"));
  EXPECT_THAT(refusal([&] { table.get("mime"); }),
              HasSubstr("Provider with name mime not found! Did you mean 'mine'?"));
  EXPECT_THAT(
      refusal([&] { table.choose("transfomers", {}, {}); }),
      HasSubstr("Provider 'transfomers' is not yet supported. Did you mean 'transformers'?"));
  EXPECT_THAT(refusal([&] {
                table.choose("mine", {{"quality", std::int64_t{1}}}, {});
              }),
              HasSubstr("Cannot pass options"));
  EXPECT_THAT(refusal([&] { table.attach(nullptr, {}); }), HasSubstr("null"));
}

TEST(ProviderTable, KnownProvidersAreMadeWithTheirOptions) {
  ProviderTable table;
  table.choose("transformers", {{"pooling", std::string("cls")}}, {});
  const auto* local = as_local(*table.choice().provider);
  ASSERT_NE(local, nullptr);
  EXPECT_EQ(local->defaults().at("pooling"), Value(std::string("cls")));
  table.choose("transformers", {{"pooling", std::string("mean")}}, {});
  EXPECT_EQ(as_local(*table.choice().provider)->defaults().at("pooling"),
            Value(std::string("mean")));
}

TEST(ProviderOptions, AreCheckedByNameTypeAndRange) {
  const Named provider("mine");
  const auto check = [&](const std::string& name, Value value) {
    return refusal([&] { check_options("embed_image", provider, {{name, std::move(value)}}); });
  };
  EXPECT_EQ(check("quality", std::int64_t{50}), "nothing was refused");
  EXPECT_EQ(check("weight", std::int64_t{2}), "nothing was refused");
  EXPECT_THAT(check("qualty", std::int64_t{50}), HasSubstr("did you mean \"quality\"?"));
  EXPECT_THAT(check("batchsize", std::int64_t{50}), HasSubstr("did you mean \"batch_size\"?"));
  EXPECT_THAT(check("zzzzz", true), HasSubstr("there are provider, model"));
  EXPECT_THAT(check("pooling", std::string("cls")),
              HasSubstr("provider 'transformers' has it, 'mine' has not"));
  EXPECT_THAT(check("quality", std::int64_t{0}), HasSubstr("quality: 0 is out of range; give 1"));
  EXPECT_THAT(check("quality", std::int64_t{101}), HasSubstr("give 100 or less"));
  EXPECT_THAT(check("quality", 1.5), HasSubstr("give a whole number"));
  EXPECT_THAT(check("color", std::string("gren")),
              HasSubstr("one of \"red\", \"green\"; did you mean \"green\"?"));
}

TEST(ProviderOptions, SecretsAreNeitherShownNorTold) {
  const Named provider("mine");
  EXPECT_THAT(
      shown_options(provider, {{"api_key", std::string("sk")}, {"quality", std::int64_t{3}}}),
      testing::ElementsAre(testing::Pair("quality", Value(std::int64_t{3}))));
  const std::string told = refusal([&] {
    check_options("embed_image", provider, {{"api_key", 12.5}});
  });
  EXPECT_THAT(told, HasSubstr("api_key"));
  EXPECT_THAT(told, testing::Not(HasSubstr("12.5")));
}

TEST(Resolution, ExplicitThenSessionThenEnvironmentThenDefault) {
  ProviderTable table;
  EmbedOptions options;
  unsetenv("VECFRAME_PROVIDER");
  unsetenv("VECFRAME_MODEL");
  EXPECT_EQ(resolve(table, options).provider->name(), "transformers");
  setenv("VECFRAME_PROVIDER", "builtin", 1);
  setenv("VECFRAME_MODEL", "environment", 1);
  EXPECT_EQ(resolve(table, options).provider->name(), "builtin");
  EXPECT_EQ(resolve(table, options).model, "environment");
  table.choose(named("mine"), "session");
  EXPECT_EQ(resolve(table, options).provider->name(), "mine");
  EXPECT_EQ(resolve(table, options).model, "session");
  options.provider = "transformers";
  EXPECT_EQ(resolve(table, options).provider->name(), "transformers");
  EXPECT_EQ(resolve(table, options).model, "environment");
  options.model = "explicit";
  EXPECT_EQ(resolve(table, options).model, "explicit");
  options.provider_instance = named("instance");
  EXPECT_THAT(refusal([&] { resolve(table, options); }), HasSubstr("both a name"));
  options.provider.reset();
  options.model.reset();
  EXPECT_EQ(resolve(table, options).provider->name(), "instance");
  EXPECT_FALSE(resolve(table, options).model) << "models of one provider mean nothing to another";
  unsetenv("VECFRAME_PROVIDER");
  unsetenv("VECFRAME_MODEL");
}

TEST(Gpus, NoneAreVisibleWhereTheEnvironmentSaysSo) {
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  EXPECT_EQ(count_gpus(), 0);
  setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
  EXPECT_EQ(count_gpus(), 0);
  setenv("CUDA_VISIBLE_DEVICES", "0", 1);
  EXPECT_LE(count_gpus(), 1);
  unsetenv("CUDA_VISIBLE_DEVICES");
}

}  // namespace
}  // namespace vecframe::session
