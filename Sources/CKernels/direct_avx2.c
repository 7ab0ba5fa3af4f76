// Direct convolutions with AVX2 and FMA: twelve sums, two weights and one input in the sixteen registers.
#pragma clang diagnostic ignored "-Wpsabi"
#include "direct_kernels.h"
#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) x##_avx2
#define VECTOR v8
#define VECTORS 2
#define TALL 6
#define LOW 4
#define WIDE 6
#include "direct_tiles.h"
#endif
