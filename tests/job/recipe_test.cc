#include "job/recipe.h"

#include <gtest/gtest.h>

namespace vecframe::job {
namespace {

columnar::Schema schema_of(const std::string& fingerprint, const std::string& version) {
  columnar::Schema schema;
  schema.fields = {{"path", {columnar::TypeKind::kString}, false},
                   {"embedding", {columnar::TypeKind::kEmbedding, 12}, true}};
  schema.metadata = {{"vecframe.version", version},
                     {"vecframe.model", "spelled somehow"},
                     {"vecframe.model_fingerprint", fingerprint},
                     {"other", "thing"}};
  return schema;
}

Recipe recipe_of(const std::string& rows, const columnar::Schema& schema) {
  Recipe recipe(rows);
  recipe.add(schema);
  return recipe;
}

TEST(RecipeTest, NamesTheDifference) {
  const Recipe recipe = recipe_of("files", schema_of("aaa", "1"));
  EXPECT_EQ(recipe.difference(recipe_of("files", schema_of("aaa", "2"))), "");
  EXPECT_EQ(recipe.difference(recipe_of("files", schema_of("bbb", "1"))),
            "model_fingerprint is 'bbb', not 'aaa'");
  columnar::Schema wider = schema_of("aaa", "1");
  wider.fields.push_back({"width", {columnar::TypeKind::kUInt32}, true});
  EXPECT_EQ(recipe.difference(recipe_of("files", wider)),
            "columns is 'path String, embedding Embedding[Float32; 12], width UInt32', not "
            "'path String, embedding Embedding[Float32; 12]'");
  EXPECT_FALSE(recipe.same_rows(recipe_of("texts", schema_of("aaa", "1"))));
}

TEST(RecipeTest, SurvivesJson) {
  const Recipe recipe = recipe_of("files", schema_of("a\"b", "1"));
  EXPECT_EQ(recipe.difference(Recipe::parse(recipe.to_json())), "");
  EXPECT_NE(recipe.difference(Recipe::parse("nonsense")), "");
  EXPECT_NE(recipe.difference(Recipe::parse("{}")), "");
  EXPECT_FALSE(recipe.same_rows(Recipe::parse("nonsense")));
}

}  // namespace
}  // namespace vecframe::job
