// VAES on 256-bit registers: two blocks an instruction (processors with VAES and AVX2 but without AVX-512).
#include "mask_kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,vaes,aes")))
#define MASK_APPLY mask_apply_vaes256
#define VECTOR __m256i
#define LANES 2
#define UNROLL 10
#define LANE_NUMBERS _mm256_setr_epi32(0, 0, 0, 0, 0, 0, 0, 1)
#define BROADCAST _mm256_broadcastsi128_si256
#define ADD _mm256_add_epi32
#define SUBTRACT _mm256_sub_epi32
#define XOR _mm256_xor_si256
#define SHUFFLE _mm256_shuffle_epi8
#define ROUND _mm256_aesenc_epi128
#define LAST_ROUND _mm256_aesenclast_epi128
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#include "mask_x86.h"
#endif
