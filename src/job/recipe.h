// All that the rows of an output depend on besides their inputs.
//
// Parts of one recipe belong together. A resumed run computes the rows of another recipe again; an
// append to one is refused.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "columnar/schema.h"

namespace vecframe::job {

class Recipe {
 public:
  /// `rows` names what makes a row; recipes that differ in it have nothing to do with each other.
  explicit Recipe(std::string rows = "") { add("rows", std::move(rows)); }
  /// As to_json() gives it; a text that is none is a recipe like no other.
  static Recipe parse(const std::string& json);

  void add(std::string name, std::string value);
  /// The schema's columns, and its metadata without what only describes (version, licence, spelling
  /// of the model).
  void add(const columnar::Schema& schema);
  /// Whether rows of the other recipe can be computed again as rows of this one.
  bool same_rows(const Recipe& other) const;
  std::string to_json() const;
  std::string fingerprint() const;
  /// What differs, as "model_fingerprint is 'a', not 'b'", where `b` is this one's; empty if
  /// nothing does.
  std::string difference(const Recipe& other) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace vecframe::job
