// What to say of a column that is not there.
#pragma once

#include <vecframe/suggest.h>

#include <string>
#include <vector>

#include "columnar/schema.h"

namespace vecframe::io {

/// "there is no column 'widht'; did you mean 'width'?"
inline std::string no_column(const std::string& name, const columnar::Schema& schema) {
  std::vector<std::string> names;
  for (const columnar::Field& field : schema.fields) names.push_back(field.name);
  const std::string nearest = nearest_name(name, names);
  std::string message = "there is no column '" + name + "'";
  if (!nearest.empty()) return message + "; did you mean '" + nearest + "'?";
  message += names.empty() ? "; there are none" : "; give one of ";
  for (std::size_t i = 0; i < names.size() && i < 20; ++i)
    message += (i == 0 ? "'" : ", '") + names[i] + "'";
  return names.size() > 20 ? message + ", ..." : message;
}

}  // namespace vecframe::io
