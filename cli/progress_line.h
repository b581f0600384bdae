// One line on standard error that tells how far a run is; nothing when that is no terminal.
#pragma once

#include <vecframe/run.h>

#include <string>

namespace vecframe::cli {

/// "1234 of 5000  25 %  45.2 images/s  1:23 left  3 failed".
std::string progress_text(const Progress& progress);

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  void update(const Progress& progress);
  /// Wipes the line, so that something else can be printed.
  void clear();

 private:
  bool on_terminal_;
  bool drawn_ = false;
};

}  // namespace vecframe::cli
