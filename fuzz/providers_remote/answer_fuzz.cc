// What a server of embeddings may say: vectors of the length and number that were asked for, all
// finite, or a reason in their place.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "providers/remote/answer.h"
#include "providers/remote/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vecframe::providers;
  if (size < 2) return 0;
  const std::size_t rows = 1 + data[0] % 4;
  const std::int64_t dimension = data[1] % 4;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const AnswerPointers& pointers = wire_formats()[0].answer;
  const auto answer = read_answer(pointers, text, rows, dimension);
  if (const auto* fault = std::get_if<AnswerFault>(&answer)) {
    if (fault->message.empty()) std::abort();
  } else {
    const auto& vectors = std::get<AnswerRows>(answer);
    if (vectors.size() != rows) std::abort();
    for (const vecframe::RowVector& row : vectors) {
      if (row.error.empty() == row.values.empty()) std::abort();
      if (dimension > 0 && row.error.empty() &&
          row.values.size() != static_cast<std::size_t>(dimension))
        std::abort();
      if (!std::all_of(row.values.begin(), row.values.end(),
                       [](float v) { return std::isfinite(v); }))
        std::abort();
    }
  }
  HttpResponse response;
  response.status = 400 + static_cast<int>(data[0]);
  const Refusal refusal = read_refusal(response, text, "sk-canary");
  if (refusal.message.find("sk-canary") != std::string::npos) std::abort();
  return 0;
}
