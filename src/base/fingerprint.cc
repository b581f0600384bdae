#include "base/fingerprint.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <cstdint>
#include <new>

namespace vecframe {

struct Fingerprint::State {
  XXH3_state_t* hash = XXH3_createState();  // over-aligned, so the library allocates it
  State() {
    if (hash == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(hash);
  }
  ~State() { XXH3_freeState(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Fingerprint::Fingerprint() : state_(std::make_unique<State>()) {}
Fingerprint::~Fingerprint() = default;
Fingerprint::Fingerprint(Fingerprint&&) noexcept = default;
Fingerprint& Fingerprint::operator=(Fingerprint&&) noexcept = default;

Fingerprint& Fingerprint::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->hash, bytes.data(), bytes.size());
  return *this;
}

Fingerprint& Fingerprint::add_field(std::string_view text) {
  const std::uint64_t size = text.size();
  XXH3_128bits_update(state_->hash, &size, sizeof size);
  XXH3_128bits_update(state_->hash, text.data(), text.size());
  return *this;
}

Hash128 Fingerprint::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->hash);
  return {hash.high64, hash.low64};
}

std::string Fingerprint::hex() const {
  const Hash128 hash = digest();
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

std::string fingerprint_of(std::span<const std::byte> bytes) {
  return std::move(Fingerprint().add(bytes)).hex();
}

Hash128 hash_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

}  // namespace vecframe
