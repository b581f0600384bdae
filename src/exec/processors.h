// How many processors this process may use.
#pragma once

namespace vecframe::exec {

/// At least 1: the processors of the affinity mask, fewer if a control group caps processor time.
int usable_processors();

}  // namespace vecframe::exec
