// Waiting for threads that may need the interpreter.
#pragma once

#include <Python.h>

namespace vecframe::python {

// Lets go of the interpreter's lock if this thread holds it: a library may ask for rows with or
// without it, and workers that need it must not wait for one that waits for them.
class WithoutLock {
 public:
  WithoutLock() {
    if (Py_IsInitialized() != 0 && PyGILState_Check() != 0) state_ = PyEval_SaveThread();
  }
  ~WithoutLock() {
    if (state_ != nullptr) PyEval_RestoreThread(state_);
  }
  WithoutLock(const WithoutLock&) = delete;
  WithoutLock& operator=(const WithoutLock&) = delete;

 private:
  PyThreadState* state_ = nullptr;
};

}  // namespace vecframe::python
