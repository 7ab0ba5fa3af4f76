// Direct convolutions with AVX-512: twelve sums hide the latency of the multiplication, inputs come from memory.
#pragma clang diagnostic ignored "-Wpsabi"
#include "direct_kernels.h"
#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f")))
#define NAME(x) x##_avx512
#define VECTOR v16
#define VECTORS 1
#define TALL 12
#define LOW 8
#define WIDE 8
#include "direct_tiles.h"
#endif
