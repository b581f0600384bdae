#include "image/image.h"

namespace vecframe::image {

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::kL:
      return "L";
    case Mode::kLA:
      return "LA";
    case Mode::kRGB:
      return "RGB";
    case Mode::kRGBA:
      return "RGBA";
    case Mode::kL16:
      return "L16";
    case Mode::kLA16:
      return "LA16";
    case Mode::kRGB16:
      return "RGB16";
    case Mode::kRGBA16:
      return "RGBA16";
  }
  return "";
}

}  // namespace vecframe::image
