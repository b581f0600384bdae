#include "models/processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include "temporary_model.h"

namespace vecframe::models {
namespace {

using image::CropRule;
using image::Filter;
using image::NormalizeRule;
using image::PrepareSpec;
using image::Resampler;
using image::ResizeRule;
using testing::AllOf;
using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

PrepareSpec read(const std::string& text, const ImageModelOptions& options = {},
                 const char* file = "preprocessor_config.json") {
  TemporaryModel model;
  model.write("config.json", "{}").write("model.safetensors", zero_tensors({})).write(file, text);
  return read_processor(Checkpoint("m", model.directory()), "CLIPImageProcessor", options);
}

std::string refusal(const std::string& text) {
  return message_of<RequestError>([&] { read(text); });
}

TEST(Processor, EmptyFileMeansTheClassDefaults) {
  const PrepareSpec spec = read("{}");
  EXPECT_EQ(spec.resize, ResizeRule::kShortestEdge);
  EXPECT_EQ(spec.shortest_edge, 224u);
  EXPECT_EQ(spec.filter, Filter::kBicubic);
  EXPECT_EQ(spec.resampler, Resampler::kTorchvision);
  EXPECT_EQ(spec.crop, CropRule::kTorchvision);
  EXPECT_EQ(spec.crop_height, 224u);
  EXPECT_EQ(spec.normalize, NormalizeRule::kFused);
  EXPECT_TRUE(spec.do_rescale && spec.do_normalize);
  EXPECT_DOUBLE_EQ(spec.rescale_factor, 1 / 255.0);
  EXPECT_THAT(spec.mean[0], FloatEq(0.48145466f));
  EXPECT_THAT(spec.std[2], FloatEq(0.27577711f));
}

TEST(Processor, OldFilesUseNumbersAndOldNames) {
  const PrepareSpec clip =
      read(R"({"feature_extractor_type":"CLIPFeatureExtractor","size":336,"crop_size":330})");
  EXPECT_EQ(clip.resize, ResizeRule::kShortestEdge);
  EXPECT_EQ(clip.shortest_edge, 336u);
  EXPECT_EQ(clip.crop_width, 330u);
  const PrepareSpec vit =
      read(R"({"feature_extractor_type":"ViTFeatureExtractor","size":384,"resample":2})");
  EXPECT_EQ(vit.resize, ResizeRule::kExact);
  EXPECT_EQ(vit.resize_height, 384u);
  EXPECT_EQ(vit.crop, CropRule::kNone);
}

TEST(Processor, ClassesDiffer) {
  const PrepareSpec vit = read(R"({"image_processor_type":"ViTImageProcessorFast"})");
  EXPECT_EQ(vit.filter, Filter::kBilinear);
  EXPECT_EQ(vit.resampler, Resampler::kTorchvision);
  EXPECT_THAT(vit.mean, ElementsAre(0.5f, 0.5f, 0.5f));
  const PrepareSpec deit = read(R"({"image_processor_type":"DeiTImageProcessor"})");
  EXPECT_EQ(deit.resize_height, 256u);
  EXPECT_EQ(deit.crop_height, 224u);
  const PrepareSpec siglip =
      read(R"({"image_processor_type":"SiglipImageProcessor","size":{"height":256,"width":128}})");
  EXPECT_EQ(siglip.slot_size(), (image::Size{128, 256}));
  EXPECT_EQ(siglip.crop, CropRule::kNone);
  EXPECT_EQ(siglip.filter, Filter::kBicubic);
  EXPECT_THAT(siglip.mean, ElementsAre(0.5f, 0.5f, 0.5f));
  EXPECT_EQ(read(R"({"image_processor_type":"SiglipImageProcessorFast","resample":2})").filter,
            Filter::kBilinear);  // as SigLIP 2
  const PrepareSpec bit =
      read(R"({"image_processor_type":"BitImageProcessor","size":{"shortest_edge":256}})");
  EXPECT_EQ(bit.shortest_edge, 256u);
  EXPECT_EQ(bit.crop_height, 224u);
}

TEST(Processor, DinoV3ResizesFloats) {
  const std::string text = R"({"image_processor_type":"DINOv3ViTImageProcessorFast")";
  const PrepareSpec spec = read(text + "}");
  EXPECT_EQ(spec.resampler, Resampler::kFloat);
  EXPECT_EQ(spec.filter, Filter::kBilinear);
  EXPECT_EQ(spec.crop, CropRule::kNone);
  EXPECT_EQ(spec.slot_bytes(), 224u * 224 * 3 * 4);
  EXPECT_THAT(spec.mean[0], FloatEq(0.485f));
  EXPECT_THAT(refusal(text + R"(,"resample":1})"), HasSubstr("must be 2 (bilinear) or 3"));
  EXPECT_THAT(message_of<RequestError>([&] { read(text + "}", {ProcessorBackend::kPillow}); }),
              HasSubstr("for torchvision only"));
}

TEST(Processor, ConvNextCropsAShareBelow384) {
  const std::string text = R"({"image_processor_type":"ConvNextImageProcessor")";
  const PrepareSpec small =
      read(R"({"feature_extractor_type":"ConvNextFeatureExtractor","size":224,"crop_pct":0.9})");
  EXPECT_EQ(small.resize, ResizeRule::kShortestEdge);
  EXPECT_EQ(small.shortest_edge, 248u);  // 248.9
  EXPECT_EQ(small.crop, CropRule::kTorchvision);
  EXPECT_EQ(small.slot_size(), (image::Size{224, 224}));
  EXPECT_EQ(read(text + R"(,"size":{"shortest_edge":383}})").shortest_edge, 437u);  // of 7 / 8
  EXPECT_EQ(read(text + R"(,"size":{"shortest_edge":224},"crop_pct":1})").shortest_edge, 224u);
  EXPECT_EQ(read(R"({"image_processor_type":"ConvNextImageProcessorPil","size":224})").crop,
            CropRule::kPillow);

  const PrepareSpec large = read(text + R"(,"crop_pct":0.9})");
  EXPECT_EQ(large.resize, ResizeRule::kExact);
  EXPECT_EQ(large.crop, CropRule::kNone);
  EXPECT_EQ(large.slot_size(), (image::Size{384, 384}));
  EXPECT_EQ(large.filter, Filter::kBicubic);
  EXPECT_THAT(large.mean, ElementsAre(0.5f, 0.5f, 0.5f));
}

TEST(Processor, ConvNextTakesAnotherSizeByItsOwnRule) {
  const auto sized = [](const char* more, std::int64_t size) {
    ImageModelOptions options;
    options.image_size = size;
    return read(std::string(R"({"image_processor_type":"ConvNextImageProcessor",)") + more + "}",
                options);
  };
  EXPECT_EQ(sized(R"("size":224)", 160).shortest_edge, 182u);  // 182.9
  EXPECT_EQ(sized(R"("size":224)", 160).slot_size(), (image::Size{160, 160}));
  EXPECT_EQ(sized(R"("size":224)", 400).resize, ResizeRule::kExact);
  EXPECT_EQ(sized(R"("size":384)", 192).shortest_edge, 219u);  // 219.4
  EXPECT_EQ(sized(R"("size":400,"do_center_crop":true,"crop_size":300)", 600).resize_width, 800u);
}

TEST(Processor, ConvNextCropsOnce) {
  const auto with = [](const char* more) {
    return std::string(R"({"image_processor_type":"ConvNextImageProcessor",)") + more + "}";
  };
  EXPECT_EQ(read(with(R"("size":64,"do_center_crop":true,"crop_size":64)")).shortest_edge, 73u);
  EXPECT_THAT(refusal(with(R"("size":64,"do_center_crop":true,"crop_size":60)")),
              AllOf(HasSubstr("'crop_size' is 60x60"), HasSubstr("'do_center_crop' to false")));
  EXPECT_EQ(read(with(R"("size":400,"do_center_crop":true,"crop_size":60)")).slot_size(),
            (image::Size{60, 60}));
  EXPECT_THAT(refusal(with(R"("size":64,"crop_pct":0)")), HasSubstr("'crop_pct' is 0"));
  EXPECT_THAT(refusal(with(R"("size":{"height":64,"width":64})")), HasSubstr("'shortest_edge'"));
  EXPECT_THAT(refusal(with(R"("do_resize":false)")), HasSubstr("different sizes"));
}

TEST(Processor, PillowByNameOrByChoice) {
  const std::string pillow = R"({"image_processor_type":"CLIPImageProcessorPil"})";
  EXPECT_EQ(read(pillow).resampler, Resampler::kPillow13);
  EXPECT_EQ(read(pillow).crop, CropRule::kPillow);
  EXPECT_EQ(read(pillow).normalize, NormalizeRule::kStepwise);
  EXPECT_EQ(read(pillow, {ProcessorBackend::kTorchvision}).resampler, Resampler::kTorchvision);
  EXPECT_EQ(read("{}", {ProcessorBackend::kPillow}).resampler, Resampler::kPillow13);
}

TEST(Processor, StepsCanBeSwitchedOff) {
  const PrepareSpec spec = read(
      R"({"do_resize":false,"do_normalize":false,"do_rescale":false,"crop_size":{"height":8,"width":6}})");
  EXPECT_EQ(spec.resize, ResizeRule::kNone);
  EXPECT_FALSE(spec.do_normalize || spec.do_rescale);
  EXPECT_EQ(spec.slot_size(), (image::Size{6, 8}));
}

TEST(Processor, FindsTheImagePartOfAJointFile) {
  const PrepareSpec spec =
      read(R"({"processor_class":"CLIPProcessor","image_processor":{"size":{"shortest_edge":99}}})",
           {}, "processor_config.json");
  EXPECT_EQ(spec.shortest_edge, 99u);
  TemporaryModel model;
  model.write("config.json", "{}").write("model.safetensors", zero_tensors({}));
  EXPECT_THAT(message_of<RequestError>([&] {
                read_processor(Checkpoint("m", model.directory()), "CLIPImageProcessor", {});
              }),
              HasSubstr("'m' has no preprocessor_config.json"));
}

TEST(Processor, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(
      refusal(R"({"image_processor_type":"SwinImageProcessor"})"),
      AllOf(HasSubstr("'SwinImageProcessor' is not known"), HasSubstr("CLIPImageProcessor")));
  EXPECT_THAT(refusal(R"({"resample":5})"), HasSubstr("'resample' is 5"));
  EXPECT_THAT(refusal(R"({"resample":0})"), HasSubstr("not supported"));
  EXPECT_THAT(refusal(R"({"size":{"longest_edge":4}})"), HasSubstr("neither"));
  EXPECT_THAT(refusal(R"({"size":{"height":0,"width":4}})"), HasSubstr("'height' is 0"));
  EXPECT_THAT(refusal(R"({"size":1e9})"), HasSubstr("'size'"));
  EXPECT_THAT(refusal(R"({"do_center_crop":false})"), HasSubstr("different sizes"));
  EXPECT_THAT(refusal(R"({"image_mean":[1,2]})"), HasSubstr("three numbers"));
  EXPECT_THAT(refusal(R"({"image_std":[1,0,1]})"), HasSubstr("not positive"));
  EXPECT_THAT(refusal(R"({"rescale_factor":0})"), HasSubstr("'rescale_factor' is 0"));
  EXPECT_THAT(refusal(R"({"do_pad":true})"), HasSubstr("'do_pad'"));
}

TEST(Processor, NaflexPicturesKeepTheirShape) {
  const PrepareSpec spec = read(R"({"image_processor_type":"Siglip2ImageProcessorFast"})");
  EXPECT_EQ(spec.resize, ResizeRule::kPatches);
  EXPECT_TRUE(spec.has_variable_size());
  EXPECT_EQ(spec.patch, 16u);
  EXPECT_EQ(spec.max_patches, 256u);
  EXPECT_EQ(spec.filter, Filter::kBilinear);
  EXPECT_EQ(spec.resampler, Resampler::kTorchvision);
  EXPECT_EQ(spec.crop, CropRule::kNone);
  EXPECT_THAT(spec.mean, ElementsAre(0.5f, 0.5f, 0.5f));
  const PrepareSpec pillow = read(
      R"({"image_processor_type":"Siglip2ImageProcessorPil","patch_size":14,"max_num_patches":1024})");
  EXPECT_EQ(pillow.patch, 14u);
  EXPECT_EQ(pillow.max_patches, 1024u);
  EXPECT_EQ(pillow.resampler, Resampler::kPillow13);
  const auto refused = [](const char* more) {
    return refusal(R"({"image_processor_type":"Siglip2ImageProcessor",)" + std::string(more) + "}");
  };
  EXPECT_THAT(refused(R"("do_resize":false)"), HasSubstr("'do_resize' is false"));
  EXPECT_THAT(refused(R"("max_num_patches":0)"), HasSubstr("max_num_patches"));
  EXPECT_THAT(refused(R"("max_num_patches":70000)"), HasSubstr("max_num_patches"));
  EXPECT_THAT(refused(R"("patch_size":-16)"), HasSubstr("patch_size"));
}

PrepareSpec read_timm(const std::string& text) {
  return read_timm_processor(JsonObject::parse(text, "config.json"), {});
}

TEST(TimmProcessor, ReadsPretrainedCfg) {
  const PrepareSpec spec = read_timm(
      R"({"pretrained_cfg":{"input_size":[3,224,224],"crop_pct":0.9,"interpolation":"bicubic",
          "crop_mode":"center","mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}})");
  EXPECT_EQ(spec.shortest_edge, 248u);
  EXPECT_EQ(spec.crop_height, 224u);
  EXPECT_EQ(spec.crop, CropRule::kRound);
  EXPECT_EQ(spec.resampler, Resampler::kPillow13);
  EXPECT_EQ(spec.normalize, NormalizeRule::kTimm);
  const PrepareSpec squash = read_timm(
      R"({"pretrained_cfg":{"input_size":[3,96,96],"crop_pct":1.0,"crop_mode":"squash"}})");
  EXPECT_EQ(squash.resize, ResizeRule::kExact);
  EXPECT_THAT(squash.mean[0], FloatEq(0.485f));
}

TEST(TimmProcessor, ReadsTheFlatForm) {
  const PrepareSpec spec =
      read_timm(R"({"resize_shorter":248,"crop":224,"mean":[0.5,0.4,0.3],"std":[1,1,1]})");
  EXPECT_EQ(spec.shortest_edge, 248u);
  EXPECT_EQ(spec.crop_width, 224u);
  EXPECT_THAT(spec.mean, ElementsAre(0.5f, 0.4f, 0.3f));
}

TEST(TimmProcessor, RefusesWhatItDoesNotKnow) {
  const auto complaint = [](const std::string& text) {
    return message_of<RequestError>([&] { read_timm(text); });
  };
  EXPECT_THAT(complaint(R"({"pretrained_cfg":{"crop_mode":"border"}})"), HasSubstr("'border'"));
  EXPECT_THAT(complaint(R"({"pretrained_cfg":{"interpolation":"random"}})"), HasSubstr("'random'"));
  EXPECT_THAT(complaint(R"({"pretrained_cfg":{"crop_pct":0}})"), HasSubstr("'crop_pct'"));
  EXPECT_THAT(complaint(R"({"pretrained_cfg":{"input_size":[3,2]}})"), HasSubstr("'input_size'"));
  EXPECT_THAT(complaint("{}"), HasSubstr("'resize_shorter' is missing"));
}

PrepareSpec read_open_clip(const std::string& cfg, image::Size size = {48, 48}) {
  return read_open_clip_processor(
      JsonObject::parse(R"({"preprocess_cfg":)" + cfg + "}", "open_clip_config.json"), size, {});
}

TEST(OpenClipProcessor, ResizesAsItsModeSays) {
  const PrepareSpec plain = read_open_clip("null");
  EXPECT_EQ(plain.resize, ResizeRule::kShortestEdge);
  EXPECT_EQ(plain.shortest_edge, 48u);
  EXPECT_EQ(plain.crop, CropRule::kRound);
  EXPECT_EQ(plain.resampler, Resampler::kPillow13);
  EXPECT_EQ(plain.normalize, NormalizeRule::kTimm);
  EXPECT_EQ(plain.filter, Filter::kBicubic);
  EXPECT_THAT(plain.mean[0], FloatEq(0.48145466f));
  const PrepareSpec squash = read_open_clip(
      R"({"resize_mode":"squash","interpolation":"bilinear","mean":0.5,"std":[0.5,0.25,1]})");
  EXPECT_EQ(squash.resize, ResizeRule::kExact);
  EXPECT_EQ(squash.crop, CropRule::kNone);
  EXPECT_EQ(squash.filter, Filter::kBilinear);
  EXPECT_THAT(squash.mean, ElementsAre(0.5f, 0.5f, 0.5f));
  EXPECT_THAT(squash.std, ElementsAre(0.5f, 0.25f, 1.0f));
  EXPECT_EQ(read_open_clip(R"({"resize_mode":"longest"})").resize, ResizeRule::kFit);
  const PrepareSpec wide = read_open_clip(R"({"interpolation":"bilinear"})", {64, 48});
  EXPECT_EQ(wide.resize, ResizeRule::kCover);
  EXPECT_EQ(wide.filter, Filter::kBicubic);
  EXPECT_EQ(wide.slot_size(), (image::Size{64, 48}));
}

TEST(OpenClipProcessor, RefusesWhatItDoesNotKnow) {
  const auto complaint = [](const std::string& cfg) {
    return message_of<RequestError>([&] { read_open_clip(cfg); });
  };
  EXPECT_THAT(
      complaint(R"({"resize_mode":"crop"})"),
      AllOf(HasSubstr("'resize_mode' is 'crop'"), HasSubstr("shortest, longest and squash")));
  EXPECT_THAT(complaint(R"({"interpolation":"lanczos"})"), HasSubstr("'interpolation'"));
  EXPECT_THAT(complaint(R"({"mean":[0.5]})"), HasSubstr("'mean' is neither a number nor"));
  EXPECT_THAT(complaint(R"({"mean":1e39})"), HasSubstr("'mean' has 1e+39"));
  EXPECT_THAT(complaint(R"({"std":0})"), HasSubstr("'std' is not positive"));
  EXPECT_THAT(complaint(R"({"resize_mode":"longest","fill_color":7})"), HasSubstr("'fill_color'"));
  EXPECT_THAT(
      message_of<RequestError>([] {
        read_open_clip_processor(JsonObject::empty("c"), {8, 8}, {ProcessorBackend::kTorchvision});
      }),
      HasSubstr("prepared by Pillow"));
}

}  // namespace
}  // namespace vecframe::models
