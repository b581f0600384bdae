// For tests of permissions that root runs too: root may read everything, its stand-in may not.
#pragma once

#include <sys/fsuid.h>
#include <unistd.h>

namespace vecframe::storage {

/// While this lives, the calling thread opens files as nobody, if the process is root's.
class WithoutPrivileges {
 public:
  WithoutPrivileges() {
    if (::geteuid() == 0) ::setfsuid(65534);
  }
  ~WithoutPrivileges() {
    if (::geteuid() == 0) ::setfsuid(0);
  }
  WithoutPrivileges(const WithoutPrivileges&) = delete;
  WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;
};

}  // namespace vecframe::storage
