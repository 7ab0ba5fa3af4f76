// The kernels behind mask_apply, one pair a path; private to this target.
#pragma once
#include "mask_stream.h"

#define MASK_KERNEL(path)                                                                                        \
  void mask_apply_##path(uint32_t *destination, size_t blocks, const uint8_t round_keys[MASK_ROUND_KEYS_BYTES],  \
                         const uint8_t prefix[12], uint32_t first_block, int subtract);

#if defined(__x86_64__)
MASK_KERNEL(aesni)
MASK_KERNEL(vaes256)
MASK_KERNEL(vaes512)
void mask_expand_key_aesni(const uint8_t key[32], uint8_t round_keys[MASK_ROUND_KEYS_BYTES]);
#elif defined(__aarch64__)
MASK_KERNEL(armv8)
void mask_expand_key_armv8(const uint8_t key[32], uint8_t round_keys[MASK_ROUND_KEYS_BYTES]);
#endif
