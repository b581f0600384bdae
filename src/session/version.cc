#include <vecframe/version.h>

namespace vecframe {

const char* version() { return VECFRAME_VERSION; }

}  // namespace vecframe
