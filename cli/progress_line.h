// One line on standard error that tells how far a run or a download is; nothing when that is no
// terminal.
#pragma once

#include <vecframe/download.h>
#include <vecframe/run.h>

#include <string>

namespace vecframe::cli {

/// "1234 of 5000  25 %  45.2 images/s  1:23 left  3 failed".
std::string progress_text(const Progress& progress);
/// "model.safetensors  12.5 of 605.2 MB  2 %  11.3 MB/s  0:53 left".
std::string progress_text(const DownloadProgress& progress);

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  void update(const Progress& progress) { draw(progress_text(progress)); }
  void update(const DownloadProgress& progress) { draw(progress_text(progress)); }
  /// Wipes the line, so that something else can be printed.
  void clear();

 private:
  void draw(const std::string& text);

  bool on_terminal_;
  bool drawn_ = false;
};

}  // namespace vecframe::cli
