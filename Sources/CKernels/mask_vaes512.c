// VAES on 512-bit registers: four blocks an instruction.
#include "mask_kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,vaes,aes")))
#define MASK_APPLY mask_apply_vaes512
#define VECTOR __m512i
#define LANES 4
#define UNROLL 10
#define LANE_NUMBERS _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3)
#define BROADCAST _mm512_broadcast_i32x4
#define ADD _mm512_add_epi32
#define SUBTRACT _mm512_sub_epi32
#define XOR _mm512_xor_si512
#define SHUFFLE _mm512_shuffle_epi8
#define ROUND _mm512_aesenc_epi128
#define LAST_ROUND _mm512_aesenclast_epi128
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#include "mask_x86.h"
#endif
