// Embeds a folder of images from C++.
//
//   embed_folder photos/ photos.parquet builtin:efficientnet-lite0
#include <vecframe/vecframe.h>

#include <cstdio>
#include <exception>

namespace vf = vecframe;

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s FOLDER OUTPUT.parquet MODEL\n", argv[0]);
    return 2;
  }
  try {
    vf::EmbedImageOptions embed;
    embed.model = argv[3];
    embed.normalize = true;
    embed.on_error = vf::OnError::kIgnore;  // a bad file keeps its row, without a vector ...
    embed.error_column = "error";           // ... and with its cause

    const vf::DataFrame photos = vf::read_images({argv[1]}).with_column(
        "embedding", vf::embed_image(vf::col("image"), embed));
    std::printf("%s\n", photos.explain().c_str());

    const vf::RunReport report = photos.write_parquet(argv[2]);
    std::printf("%lld rows, %lld failed\n", static_cast<long long>(report.rows),
                static_cast<long long>(report.failed));
    for (const auto& [cause, count] : report.failures)
      std::printf("  %s: %lld\n", cause.c_str(), static_cast<long long>(count));

    std::printf("%s", vf::inspect(argv[2]).to_text().c_str());
    return 0;
  } catch (const vf::RequestError& error) {  // wrong argument or model: nothing ran
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
