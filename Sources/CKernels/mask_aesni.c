// AES-NI: one block an instruction, and the key expansion of every x86 path.
#include "mask_kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("aes,sse4.1")))
#define MASK_APPLY mask_apply_aesni
#define VECTOR __m128i
#define LANES 1
#define UNROLL 10
#define LANE_NUMBERS _mm_setzero_si128()
#define BROADCAST(x) (x)
#define ADD _mm_add_epi32
#define SUBTRACT _mm_sub_epi32
#define XOR _mm_xor_si128
#define SHUFFLE _mm_shuffle_epi8
#define ROUND _mm_aesenc_si128
#define LAST_ROUND _mm_aesenclast_si128
#define LOAD(p) _mm_loadu_si128((const __m128i *)(p))
#define STORE(p, v) _mm_storeu_si128((__m128i *)(p), v)
#include "mask_x86.h"

// FIPS 197, section 5.2, for eight key words: each half is the running XOR of its predecessor with one assisted word.
TARGET static __m128i next_half(__m128i half, __m128i assisted) {
  half = _mm_xor_si128(half, _mm_slli_si128(half, 4));
  half = _mm_xor_si128(half, _mm_slli_si128(half, 8));
  return _mm_xor_si128(half, assisted);
}

#define EXPAND(i, constant)                                                                              \
  low = next_half(low, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(high, constant), 0xff));             \
  _mm_storeu_si128((__m128i *)(round_keys + 16 * (2 * i)), low);                                         \
  if (i < 7) {                                                                                           \
    high = next_half(high, _mm_shuffle_epi32(_mm_aeskeygenassist_si128(low, 0), 0xaa));                 \
    _mm_storeu_si128((__m128i *)(round_keys + 16 * (2 * i + 1)), high);                                  \
  }

TARGET void mask_expand_key_aesni(const uint8_t key[32], uint8_t round_keys[MASK_ROUND_KEYS_BYTES]) {
  __m128i low = _mm_loadu_si128((const __m128i *)key);
  __m128i high = _mm_loadu_si128((const __m128i *)(key + 16));
  _mm_storeu_si128((__m128i *)round_keys, low);
  _mm_storeu_si128((__m128i *)(round_keys + 16), high);
  EXPAND(1, 0x01)
  EXPAND(2, 0x02)
  EXPAND(3, 0x04)
  EXPAND(4, 0x08)
  EXPAND(5, 0x10)
  EXPAND(6, 0x20)
  EXPAND(7, 0x40)
}
#endif
