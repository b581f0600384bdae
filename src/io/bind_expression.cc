// What the functions of expressions are in the library, and the types in which arguments meet.

#include <arrow/array/builder_base.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <map>
#include <utility>

#include "io/arrow_morsel.h"
#include "io/bound_expression.h"
#include "io/column_names.h"
#include "io/show_expression.h"

namespace vecframe::io {
namespace {

using columnar::ScalarExpression;
using TypePointer = std::shared_ptr<arrow::DataType>;
using Arguments = std::vector<BoundExpression>;

enum class Family { kNull, kBoolean, kInteger, kFloat, kDecimal, kText, kBytes, kTime, kOther };

Family family_of(const arrow::DataType& type) {
  const arrow::Type::type id = type.id();
  if (id == arrow::Type::NA) return Family::kNull;
  if (id == arrow::Type::BOOL) return Family::kBoolean;
  if (arrow::is_integer(id)) return Family::kInteger;
  if (arrow::is_floating(id)) return Family::kFloat;
  if (arrow::is_decimal(id)) return Family::kDecimal;
  if (id == arrow::Type::STRING || id == arrow::Type::LARGE_STRING) return Family::kText;
  if (id == arrow::Type::BINARY || id == arrow::Type::LARGE_BINARY) return Family::kBytes;
  if (arrow::is_temporal(id) && !arrow::is_interval(id)) return Family::kTime;
  return id == arrow::Type::DURATION ? Family::kTime : Family::kOther;
}

Family family_of(const BoundExpression& expression) { return family_of(*expression.type); }

bool is_number(Family family) { return family == Family::kInteger || family == Family::kFloat; }
bool is_literal(const BoundExpression& expression) {
  return expression.literal.kind() != arrow::Datum::NONE;
}

std::string name_of(const BoundExpression& expression) {
  if (expression.type->id() == arrow::Type::NA) return "Null";
  return io::type_of(*expression.type).to_string();
}

// In a layout that the library's functions take.
BoundExpression plain(BoundExpression expression) {
  const arrow::DataType& type = *expression.type;
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
      return plain(convert(std::move(expression),
                           static_cast<const arrow::DictionaryType&>(type).value_type()));
    case arrow::Type::STRING_VIEW:
      return convert(std::move(expression), arrow::large_utf8());
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return convert(std::move(expression), arrow::large_binary());
    case arrow::Type::HALF_FLOAT:
      return convert(std::move(expression), arrow::float32());
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return convert(std::move(expression),
                     arrow::decimal128(decimal.precision(), decimal.scale()));
    }
    default:
      return expression;
  }
}

TypePointer common_number(const BoundExpression& a, const BoundExpression& b) {
  if (family_of(a) == Family::kFloat || family_of(b) == Family::kFloat) {
    const bool narrow = a.type->id() == arrow::Type::FLOAT && b.type->id() == arrow::Type::FLOAT;
    return narrow ? arrow::float32() : arrow::float64();
  }
  const auto natural = [](const BoundExpression& number) {
    if (!is_literal(number)) return arrow::is_unsigned_integer(number.type->id());
    const auto& scalar = *number.literal.scalar();
    return number.type->id() == arrow::Type::INT64 && scalar.is_valid &&
           static_cast<const arrow::Int64Scalar&>(scalar).value >= 0;
  };
  const bool widest = a.type->id() == arrow::Type::UINT64 || b.type->id() == arrow::Type::UINT64;
  return widest && natural(a) && natural(b) ? arrow::uint64() : arrow::int64();
}

// Gives both one type where there is one that holds both; leaves them where the library knows.
// False where they do not go together.
bool meet(BoundExpression& a, BoundExpression& b, const TypePointer& of_nulls) {
  const auto both = [&](TypePointer type) {  // by value: it may be that of a or b
    a = convert(std::move(a), type);
    b = convert(std::move(b), type);
    return true;
  };
  const Family first = family_of(a), second = family_of(b);
  if (first == Family::kNull && second == Family::kNull) return both(of_nulls);
  if (first == Family::kNull) return both(b.type);
  if (second == Family::kNull) return both(a.type);
  if (is_number(first) && is_number(second)) return both(common_number(a, b));
  if (first == Family::kDecimal || second == Family::kDecimal) {
    if (first == Family::kFloat || second == Family::kFloat) return both(arrow::float64());
    return (first == Family::kDecimal || first == Family::kInteger) &&
           (second == Family::kDecimal || second == Family::kInteger);
  }
  if (first == Family::kTime && second == Family::kText && is_literal(b)) return both(a.type);
  if (second == Family::kTime && first == Family::kText && is_literal(a)) return both(b.type);
  if (first != second || first == Family::kOther) return false;
  if (first == Family::kText && !a.type->Equals(*b.type)) return both(arrow::large_utf8());
  if (first == Family::kBytes && !a.type->Equals(*b.type)) return both(arrow::large_binary());
  return true;
}

// What to compare a value with.
std::string partner_of(const BoundExpression& expression) {
  switch (family_of(expression)) {
    case Family::kBoolean:
      return "compare with a truth value";
    case Family::kInteger:
    case Family::kFloat:
    case Family::kDecimal:
      return "compare with a number";
    case Family::kText:
      return "compare with a text";
    case Family::kBytes:
      return "compare with binary values";
    case Family::kTime:
      return "compare with a " + name_of(expression) + ", or a text that says one";
    default:
      return "only is_null() and not_null() take " + name_of(expression);
  }
}

BoundExpression compare(const std::string& function, Arguments arguments, const std::string& text) {
  const std::string names = name_of(arguments[0]) + " and " + name_of(arguments[1]);
  BoundExpression a = plain(arguments[0]), b = plain(arguments[1]);
  const bool first_leads = !is_literal(a) && family_of(a) != Family::kNull;
  const std::string complaint = names + " cannot be compared; " + partner_of(first_leads ? a : b);
  if (!meet(a, b, arrow::int64())) throw RequestError(text + ": " + complaint);
  return call(function, {std::move(a), std::move(b)}, nullptr, text, complaint);
}

BoundExpression arithmetic(const std::string& function, Arguments arguments,
                           const std::string& text) {
  const std::string complaint = function + " does not take " + name_of(arguments[0]) + " and " +
                                name_of(arguments[1]) + "; give two numbers";
  BoundExpression a = plain(arguments[0]), b = plain(arguments[1]);
  const bool times = family_of(a) == Family::kTime && family_of(b) == Family::kTime;
  if (!times && !meet(a, b, arrow::int64())) throw RequestError(text + ": " + complaint);
  const Family family = family_of(a);
  if (!times && !is_number(family) && family != Family::kDecimal)
    throw RequestError(text + ": " + complaint);
  // Floats divide by zero as they do everywhere; integers that overflow are an error.
  return call(family == Family::kFloat ? function : function + "_checked",
              {std::move(a), std::move(b)}, nullptr, text, complaint);
}

BoundExpression negate(Arguments arguments, const std::string& text) {
  const std::string complaint = "negate does not take " + name_of(arguments[0]) + "; give a number";
  BoundExpression value = plain(arguments[0]);
  if (family_of(value) == Family::kInteger || family_of(value) == Family::kNull)
    value = convert(std::move(value), arrow::int64());
  if (family_of(value) == Family::kBoolean || family_of(value) == Family::kText)
    throw RequestError(text + ": " + complaint);
  return call("negate_checked", {std::move(value)}, nullptr, text, complaint);
}

BoundExpression logic(const std::string& function, Arguments arguments, const std::string& text) {
  for (BoundExpression& argument : arguments) {
    const std::string name = name_of(argument);
    argument = plain(std::move(argument));
    if (family_of(argument) == Family::kNull)
      argument = convert(std::move(argument), arrow::boolean());
    if (family_of(argument) != Family::kBoolean)
      throw RequestError(text + ": " + argument.text + " is " + name +
                         ", not Boolean; give a comparison");
  }
  return call(function, std::move(arguments), nullptr, text, "truth values are needed");
}

BoundExpression is_in(Arguments arguments, const std::string& text) {
  BoundExpression value = plain(arguments[0]);
  const std::string value_name = name_of(arguments[0]);
  if (family_of(value) == Family::kNull) value = convert(std::move(value), arrow::int64());
  if (family_of(value) == Family::kOther)
    throw RequestError(text + ": is_in does not take " + value_name);
  if (family_of(value) == Family::kDecimal && arguments.size() > 1) {
    // A literal of another scale may have no form in the column's type, yet can be compared.
    BoundExpression any = compare("equal", {value, arguments[1]}, text);
    for (std::size_t i = 2; i < arguments.size(); ++i)
      any = call("or_kleene", {any, compare("equal", {value, arguments[i]}, text)}, nullptr, text,
                 "cannot be searched");
    return any;
  }
  for (int round = 0; round < 2; ++round) {  // the second gives all the type that the last asks for
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      const std::string names = value_name + " and " + name_of(arguments[i]);
      if (!is_literal(arguments[i]))
        throw RequestError(text + ": " + arguments[i].text + " is no literal; is_in takes values");
      if (!meet(value, arguments[i], arrow::int64()))
        throw RequestError(text + ": " + names + " cannot be compared; " + partner_of(value));
    }
  }
  const auto builder = check(arrow::MakeBuilder(value.type), "listing values");
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const BoundExpression literal = convert(arguments[i], value.type);
    check(builder->AppendScalar(*literal.literal.scalar()), "listing values");
  }
  const auto options = std::make_shared<arrow::compute::SetLookupOptions>(
      check(builder->Finish(), "listing values"), arrow::compute::SetLookupOptions::INCONCLUSIVE);
  return call("is_in", {std::move(value)}, options, text, "is_in does not take " + value_name);
}

BoundExpression text_argument(BoundExpression argument, const std::string& text) {
  const std::string name = name_of(argument);
  argument = plain(std::move(argument));
  if (family_of(argument) == Family::kNull) argument = convert(std::move(argument), arrow::utf8());
  if (family_of(argument) != Family::kText)
    throw RequestError(text + ": " + argument.text + " is " + name +
                       ", not String; give a column of texts");
  return argument;
}

BoundExpression match(const std::string& function, Arguments arguments, const std::string& text) {
  BoundExpression value = text_argument(std::move(arguments[0]), text);
  if (!is_literal(arguments[1]) || family_of(arguments[1]) != Family::kText)
    throw RequestError(text + ": " + arguments[1].text + " is no text; give one in quotes");
  const auto& pattern = static_cast<const arrow::StringScalar&>(*arguments[1].literal.scalar());
  const auto options =
      std::make_shared<arrow::compute::MatchSubstringOptions>(std::string(pattern.view()));
  return call(function, {std::move(value)}, options, text, "texts are needed");
}

BoundExpression of_text(const std::string& function, Arguments arguments, const std::string& text) {
  BoundExpression result = call(function, {text_argument(std::move(arguments[0]), text)}, nullptr,
                                text, "texts are needed");
  // The library counts in 32 bits where offsets have so many.
  return function == "utf8_length" ? convert(std::move(result), arrow::int64()) : result;
}

BoundExpression cast(const TypePointer& type, Arguments arguments, const std::string& text) {
  const std::string complaint = name_of(arguments[0]) + " cannot become " +
                                io::type_of(*type).to_string() + "; only simple values can";
  BoundExpression value = plain(std::move(arguments[0]));
  if (family_of(value) == Family::kOther) throw RequestError(text + ": " + complaint);
  auto options =
      std::make_shared<arrow::compute::CastOptions>(arrow::compute::CastOptions::Safe(type));
  // Towards zero, as a conversion of one number does; what is not finite stays an error.
  if (type->id() == arrow::Type::INT64 && family_of(value) == Family::kFloat)
    value = call("trunc", {value}, nullptr, text, complaint);
  options->allow_decimal_truncate = true;
  options->allow_float_truncate = arrow::is_floating(type->id());
  return call("cast", {std::move(value)}, std::move(options), text, complaint);
}

struct Function {
  std::size_t least, most;  // arguments
  BoundExpression (*bind)(const std::string&, Arguments, const std::string&);
  std::string library_name;
};

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> table = [] {
    constexpr std::size_t kAny = static_cast<std::size_t>(-1);
    const auto casting = [](const std::string& name, Arguments arguments, const std::string& text) {
      const TypePointer type = name == "float64" ? arrow::float64()
                               : name == "int64" ? arrow::int64()
                                                 : arrow::utf8();
      return cast(type, std::move(arguments), text);
    };
    const auto validity = [](const std::string& name, Arguments arguments,
                             const std::string& text) {
      return call(name, std::move(arguments), nullptr, text, "the column cannot be asked");
    };
    std::map<std::string, Function> all;
    for (const char* name :
         {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"})
      all[name] = {2, 2, compare, name};
    for (const char* name : {"add", "subtract", "multiply", "divide"})
      all[name] = {2, 2, arithmetic, name};
    for (const char* name : {"float64", "int64", "string"}) all[name] = {1, 1, casting, name};
    all["and"] = {2, 2, logic, "and_kleene"};
    all["or"] = {2, 2, logic, "or_kleene"};
    all["not"] = {1, 1, logic, "invert"};
    all["negate"] = {1, 1,
                     [](const std::string&, Arguments arguments, const std::string& text) {
                       return negate(std::move(arguments), text);
                     },
                     ""};
    all["is_in"] = {1, kAny,
                    [](const std::string&, Arguments arguments, const std::string& text) {
                      return is_in(std::move(arguments), text);
                    },
                    ""};
    all["is_null"] = {1, 1, validity, "is_null"};
    all["not_null"] = {1, 1, validity, "is_valid"};
    all["starts_with"] = {2, 2, match, "starts_with"};
    all["ends_with"] = {2, 2, match, "ends_with"};
    all["contains"] = {2, 2, match, "match_substring"};
    all["length"] = {1, 1, of_text, "utf8_length"};
    all["lower"] = {1, 1, of_text, "utf8_lower"};
    all["upper"] = {1, 1, of_text, "utf8_upper"};
    return all;
  }();
  return table;
}

BoundExpression bind_literal(const ScalarExpression& expression) {
  BoundExpression bound;
  bound.text = show(expression);
  const columnar::Literal& value = expression.value;
  std::shared_ptr<arrow::Scalar> scalar = std::make_shared<arrow::NullScalar>();
  if (std::holds_alternative<std::vector<double>>(value))
    throw RequestError(bound.text + " is a vector; only functions of embeddings take one");
  if (const auto* truth = std::get_if<bool>(&value))
    scalar = std::make_shared<arrow::BooleanScalar>(*truth);
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    scalar = std::make_shared<arrow::Int64Scalar>(*integer);
  if (const auto* number = std::get_if<double>(&value))
    scalar = std::make_shared<arrow::DoubleScalar>(*number);
  if (const auto* text = std::get_if<std::string>(&value))
    scalar = std::make_shared<arrow::StringScalar>(*text);
  bound.type = scalar->type;
  bound.literal = std::move(scalar);
  return bound;
}

BoundExpression bind_call(const ScalarExpression& expression, const columnar::Schema& schema) {
  const auto found = functions().find(expression.name);
  if (found == functions().end()) {
    std::vector<std::string> names;
    for (const auto& [name, function] : functions()) names.push_back(name);
    const std::string nearest = nearest_name(expression.name, names);
    throw RequestError(show(expression) + ": there is no function '" + expression.name + "'" +
                       (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  }
  const Function& function = found->second;
  const std::size_t count = expression.arguments.size();
  if (count < function.least || count > function.most)
    throw RequestError(show(expression) + ": '" + expression.name + "' takes " +
                       std::to_string(function.least) + " arguments, not " + std::to_string(count));
  Arguments arguments;
  for (const ScalarExpression& argument : expression.arguments)
    arguments.push_back(bind(argument, schema));
  return function.bind(function.library_name, std::move(arguments), show(expression));
}

}  // namespace

BoundExpression bind(const ScalarExpression& expression, const columnar::Schema& schema) {
  if (expression.kind == ScalarExpression::Kind::kLiteral) return bind_literal(expression);
  if (expression.kind == ScalarExpression::Kind::kCall) return bind_call(expression, schema);
  BoundExpression bound;
  bound.text = show(expression);
  bound.column = schema.find(expression.name);
  if (bound.column < 0) throw RequestError(bound.text + ": " + no_column(expression.name, schema));
  bound.type = storage_type(schema.fields[static_cast<std::size_t>(bound.column)].type);
  return bound;
}

}  // namespace vecframe::io
