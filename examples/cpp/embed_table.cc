// Embeds the pictures that a table of paths or URLs names, for the rows that a condition lets pass.
//
//   embed_table products.parquet vectors.parquet builtin:efficientnet-lite0 100
//
// The table has columns `sku`, `url` and `price`.
#include <vecframe/vecframe.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace vf = vecframe;

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s PRODUCTS.parquet OUTPUT.parquet MODEL MOST_PRICE\n", argv[0]);
    return 2;
  }
  try {
    vf::DecodeImageOptions decode;
    decode.on_error = "null";
    vf::EmbedImageOptions embed;
    embed.model = argv[3];
    embed.on_error = vf::OnError::kIgnore;
    embed.error_column = "error";

    // Expressions are values: they can be named, and used more than once.
    const vf::Expression bytes = vf::download(vf::col("url"), "null");
    const vf::Expression image = vf::decode_image(bytes, decode);
    const vf::Expression small =
        vf::call("resize", {image}, {{"w", std::int64_t{64}}, {"h", std::int64_t{64}}});

    const vf::DataFrame products =
        vf::read_parquet({argv[1]})
            .where(vf::col("price") <
                   vf::lit(std::strtod(argv[4], nullptr)))  // before any download
            .with_column("image", image)
            .with_column("hash", vf::call("image_hash", {small}, {{"method", "dhash"}}))
            .with_column("embedding", vf::embed_image(vf::col("image"), embed))
            .select({"sku", "hash", "embedding", "error"});
    for (const vf::ColumnInfo& column : products.schema())
      std::printf("%s: %s\n", column.name.c_str(), column.type.c_str());

    const vf::RunReport report = products.write_parquet(argv[2]);
    std::printf("%lld rows, %lld failed\n", static_cast<long long>(report.rows),
                static_cast<long long>(report.failed));
    std::printf("%lld vectors\n",
                static_cast<long long>(vf::read_parquet({argv[2]})
                                           .where(vf::call("not_null", {vf::col("embedding")}))
                                           .count()));
    return 0;
  } catch (const vf::RequestError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
