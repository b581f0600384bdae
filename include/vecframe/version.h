// Version of the library.
#pragma once

#include <vecframe/export.h>

namespace vecframe {

/// "MAJOR.MINOR.PATCH" of the library that is loaded.
VECFRAME_API const char* version();

}  // namespace vecframe
