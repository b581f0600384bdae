// A provider of one's own: the mean colour of each picture, as a column of a dataframe.
//
//   own_provider PHOTOS... OUTPUT.parquet

#include <vecframe/vecframe.h>

#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

class MeanColour final : public vecframe::SyncEmbedder<vecframe::Picture> {
 public:
  std::vector<vecframe::RowVector> embed(std::span<const vecframe::Picture> pictures) override {
    std::vector<vecframe::RowVector> vectors;
    for (const vecframe::Picture& picture : pictures) vectors.push_back({mean(picture), {}});
    return vectors;
  }

 private:
  static std::vector<float> mean(const vecframe::Picture& picture) {
    std::vector<double> sums(3);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) sums[i % 3] += picture.pixels[i];
    const double count = static_cast<double>(picture.width) * picture.height;
    std::vector<float> colour;
    for (const double sum : sums) colour.push_back(static_cast<float>(sum / count));
    return colour;
  }
};

class MeanColourDescriptor final : public vecframe::PictureDescriptor {
 public:
  MeanColourDescriptor() {
    identity_.provider = "colours";
    identity_.model = "mean";
    identity_.dimension = 3;
    rules_.batch_size = 8;
    rules_.concurrency = 2;
  }
  const vecframe::EmbedderIdentity& identity() const override { return identity_; }
  const vecframe::CallRules& rules() const override { return rules_; }
  vecframe::AnyEmbedder<vecframe::Picture> instantiate(
      const vecframe::StopSource& /*stop*/) const override {
    return std::make_unique<MeanColour>();
  }

 private:
  vecframe::EmbedderIdentity identity_;
  vecframe::CallRules rules_;
};

class Colours final : public vecframe::Provider {
 public:
  std::string name() const override { return "colours"; }
  std::shared_ptr<const vecframe::PictureDescriptor> describe_pictures(
      const vecframe::EmbedRequest& /*request*/) const override {
    return std::make_shared<MeanColourDescriptor>();
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: own_provider PHOTOS... OUTPUT.parquet\n";
    return 2;
  }
  try {
    vecframe::attach_provider(std::make_shared<Colours>());
    vecframe::EmbedImageOptions options;
    options.provider = "colours";
    options.on_error = vecframe::OnError::kIgnore;
    const vecframe::RunReport report =
        vecframe::read_images({argv + 1, argv + argc - 1})
            .with_column("colour", vecframe::embed_image(vecframe::col("image"), options))
            .select(std::vector<std::string>{"path", "colour"})
            .write_parquet(argv[argc - 1]);
    std::cout << report.rows << " rows, " << report.failed << " failed\n";
    return 0;
  } catch (const vecframe::RequestError& error) {
    std::cerr << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
