// What lacking_module is linked with, and does not find.
extern "C" __attribute__((visibility("default"))) int vecframe_needed() { return 1; }
