// How this process gives memory back to the system.
#pragma once

namespace vecframe {

/// Has every block of 1 MiB and more mapped on its own, so that freeing one gives it back at once.
/// glibc would raise that size each time such a block is freed, up to 32 MiB; after that the heap
/// keeps the largest picture that each thread ever had and the holes between the layers of a model,
/// which no budget sees: photographs of 12 megapixels peak at 278 MiB in place of 121 (four
/// threads, 128 MiB), a model of 1.7 GB at 2.4 GB in place of 1.8. Holds for the whole process.
void map_large_blocks();

}  // namespace vecframe
