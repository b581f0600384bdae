// Marks the symbols of the shared library that programs outside it may use.
#pragma once

#define VECFRAME_API __attribute__((visibility("default")))
