// Chooses among the mask stream kernels by what the processor can do. A path that does not exist here is never called:
// mask_path_available says so first, and calling it anyway is a bug that stops the process.
#include "mask_kernels.h"
#include <stdlib.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

int mask_path_available(int path) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  int aes = __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
  switch (path) {
    case MASK_PATH_AESNI: return aes != 0;
    case MASK_PATH_VAES256: return aes && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vaes");
    case MASK_PATH_VAES512:
      return aes && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("vaes");
  }
#elif defined(__aarch64__) && defined(__linux__)
  const unsigned long hwcap_aes = 1 << 3;
  if (path == MASK_PATH_ARMV8) return (getauxval(AT_HWCAP) & hwcap_aes) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  if (path == MASK_PATH_ARMV8) return 1;
#endif
  return 0;
}

void mask_expand_key(int path, const uint8_t key[32], uint8_t round_keys[MASK_ROUND_KEYS_BYTES]) {
  if (!mask_path_available(path)) abort();
#if defined(__x86_64__)
  mask_expand_key_aesni(key, round_keys);
#elif defined(__aarch64__)
  mask_expand_key_armv8(key, round_keys);
#else
  (void)key, (void)round_keys;
#endif
}

void mask_apply(int path, uint32_t *destination, size_t blocks, const uint8_t round_keys[MASK_ROUND_KEYS_BYTES],
                const uint8_t prefix[12], uint32_t first_block, int subtract) {
  if (!mask_path_available(path)) abort();
#if defined(__x86_64__)
  if (path == MASK_PATH_VAES512)
    mask_apply_vaes512(destination, blocks, round_keys, prefix, first_block, subtract);
  else if (path == MASK_PATH_VAES256)
    mask_apply_vaes256(destination, blocks, round_keys, prefix, first_block, subtract);
  else
    mask_apply_aesni(destination, blocks, round_keys, prefix, first_block, subtract);
#elif defined(__aarch64__)
  mask_apply_armv8(destination, blocks, round_keys, prefix, first_block, subtract);
#else
  (void)destination, (void)blocks, (void)round_keys, (void)prefix, (void)first_block, (void)subtract;
#endif
}
