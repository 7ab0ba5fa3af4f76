// Mask stream kernels: AES-256 in counter mode (NIST SP 800-38A) with the addition into the masked vector fused
// (spec/05-masks.md). Every path gives the same bytes; the caller tests a path before it trusts it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define MASK_ROUND_KEYS_BYTES 240

enum mask_path {
  MASK_PATH_AESNI = 1,    // x86: 128-bit AES instructions
  MASK_PATH_VAES256 = 2,  // x86: two blocks an instruction
  MASK_PATH_VAES512 = 3,  // x86: four blocks an instruction
  MASK_PATH_ARMV8 = 4,    // 64-bit ARM: AES extension
};

// 1 where this processor has the instructions of `path`.
int mask_path_available(int path);

// The 15 round keys of a 32-byte key. `path` must be available.
void mask_expand_key(int path, const uint8_t key[32], uint8_t round_keys[MASK_ROUND_KEYS_BYTES]);

// destination[4 i + j] += word j (little-endian) of the block with counter prefix ‖ (first_block + i), big-endian, for
// 0 <= i < blocks; subtracted where `subtract` is not 0. first_block + blocks must not exceed 2^32. `path` must be available.
void mask_apply(int path, uint32_t *destination, size_t blocks, const uint8_t round_keys[MASK_ROUND_KEYS_BYTES],
                const uint8_t prefix[12], uint32_t first_block, int subtract);
