// Products and distances of two vectors, summed in double precision whatever the elements are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vecframe::search {

/// Sums over the elements of two vectors.
struct Products {
  double xy = 0, xx = 0, yy = 0;
};

// Both spans have one length.
Products products_of(std::span<const float> x, std::span<const float> y);
Products products_of(std::span<const double> x, std::span<const double> y);
double squared_distance(std::span<const float> x, std::span<const float> y);
double squared_distance(std::span<const double> x, std::span<const double> y);
/// Bits that differ.
std::uint32_t hamming_distance(std::span<const std::byte> x, std::span<const std::byte> y);

/// Cosine of the angle between the vectors; NaN if one is zero.
double cosine_similarity(const Products& products);

}  // namespace vecframe::search
