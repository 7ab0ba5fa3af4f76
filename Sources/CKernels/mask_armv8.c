// ARMv8 AES extension: one block an instruction pair. The S-box of the key expansion comes from the same instructions
// (AESE with a zero key is SubBytes after ShiftRows), so no table depends on the key.
#include "mask_kernels.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

#define TARGET __attribute__((target("aes")))
#define UNROLL 8

TARGET static uint32_t substitute(uint32_t word) {
  // Four equal columns: ShiftRows moves each byte to the same row of another column, which holds the same byte.
  uint8x16_t state = vreinterpretq_u8_u32(vdupq_n_u32(word));
  return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(state, vdupq_n_u8(0))), 0);
}

TARGET void mask_expand_key_armv8(const uint8_t key[32], uint8_t round_keys[MASK_ROUND_KEYS_BYTES]) {
  uint32_t words[60];
  memcpy(words, key, 32);
  uint32_t constant = 1;
  for (int i = 8; i < 60; i++) {
    uint32_t word = words[i - 1];
    if (i % 8 == 0) {
      // RotWord on a word that was loaded little-endian is a rotation to the right.
      word = substitute((word >> 8) | (word << 24)) ^ constant;
      constant <<= 1;
    } else if (i % 8 == 4) {
      word = substitute(word);
    }
    words[i] = words[i - 8] ^ word;
  }
  memcpy(round_keys, words, MASK_ROUND_KEYS_BYTES);
  memset(words, 0, sizeof words);
  __asm__ __volatile__("" : : "r"(words) : "memory");
}

TARGET static uint8x16_t encrypt(uint8x16_t state, const uint8x16_t keys[15]) {
  for (int r = 0; r < 13; r++) state = vaesmcq_u8(vaeseq_u8(state, keys[r]));
  return veorq_u8(vaeseq_u8(state, keys[13]), keys[14]);
}

TARGET void mask_apply_armv8(uint32_t *destination, size_t blocks, const uint8_t round_keys[MASK_ROUND_KEYS_BYTES],
                             const uint8_t prefix[12], uint32_t first_block, int subtract) {
  uint8x16_t keys[15];
  for (int i = 0; i < 15; i++) keys[i] = vld1q_u8(round_keys + 16 * i);
  uint8_t start[16] = {0};
  memcpy(start, prefix, 12);
  const uint32x4_t base = vreinterpretq_u32_u8(vld1q_u8(start));
  for (size_t block = 0; block < blocks; block += UNROLL) {
    size_t count = blocks - block < UNROLL ? blocks - block : UNROLL;
    uint8x16_t state[UNROLL];
    for (size_t j = 0; j < UNROLL; j++) {
      uint32_t number = __builtin_bswap32(first_block + (uint32_t)(block + j));
      state[j] = encrypt(vreinterpretq_u8_u32(vsetq_lane_u32(number, base, 3)), keys);
    }
    for (size_t j = 0; j < count; j++) {
      uint32_t *out = destination + 4 * (block + j);
      uint32x4_t mask = vreinterpretq_u32_u8(state[j]);
      uint32x4_t old = vld1q_u32(out);
      vst1q_u32(out, subtract ? vsubq_u32(old, mask) : vaddq_u32(old, mask));
    }
  }
}
#endif
