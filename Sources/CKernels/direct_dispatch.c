// Which direct convolution kernels this processor has, and the data movement that they share. Calling a kernel where there
// is none is a bug that stops the process.
#pragma clang diagnostic ignored "-Wpsabi"
#include "direct_kernels.h"
#include <stdlib.h>

int tk_direct_path_available(int path) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (path) {
    case TK_DIRECT_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case TK_DIRECT_AVX512: return __builtin_cpu_supports("avx512f") != 0;
  }
#endif
  (void)path;
  return 0;
}

void tk_gather(int path, const float *const *source, float *const *target, ptrdiff_t count, const tk_runs *runs,
               const float *packed, ptrdiff_t columns, int accumulates) {
#if defined(__x86_64__)
  if (path == TK_DIRECT_AVX512) return tk_gather_avx512(source, target, count, runs, packed, columns, accumulates);
  if (path == TK_DIRECT_AVX2) return tk_gather_avx2(source, target, count, runs, packed, columns, accumulates);
#endif
  abort();
}

void tk_outer(int path, const tk_lines *lines, const tk_column *columns, ptrdiff_t count, ptrdiff_t outputs,
              float *gradient, ptrdiff_t ld) {
#if defined(__x86_64__)
  if (path == TK_DIRECT_AVX512) return tk_outer_avx512(lines, columns, count, outputs, gradient, ld);
  if (path == TK_DIRECT_AVX2) return tk_outer_avx2(lines, columns, count, outputs, gradient, ld);
#endif
  abort();
}

CLONES void tk_pad(const tk_frame *frame, const float *image, float *to) {
  const tk_frame f = *frame;
  const ptrdiff_t right = (f.columns - f.left - f.width) * f.channels;
  for (ptrdiff_t y = f.top; y < f.top + f.rows; y++) {
    if (y < 0 || y >= f.height) {
      memset(to, 0, (size_t)(f.columns * f.channels) * sizeof(float));
      to += f.columns * f.channels;
      continue;
    }
    memset(to, 0, (size_t)(f.left * f.channels) * sizeof(float));
    to += f.left * f.channels;
    const float *from = image + y * f.width * f.ld;
    if (f.ld == f.channels) {
      memcpy(to, from, (size_t)(f.width * f.channels) * sizeof(float));
      to += f.width * f.channels;
    } else {
      for (ptrdiff_t x = 0; x < f.width; x++, from += f.ld, to += f.channels) copy_floats(to, from, f.channels);
    }
    memset(to, 0, (size_t)right * sizeof(float));
    to += right;
  }
}

CLONES void tk_panels(const tk_frame *frame, const float *image, float *to, ptrdiff_t panel) {
  const tk_frame f = *frame;
  const ptrdiff_t right = f.columns - f.left - f.width;
  for (ptrdiff_t c = 0; c < f.channels; c += 16, to += panel) {
    v16 *out = (v16 *)to;
    for (ptrdiff_t y = f.top; y < f.top + f.rows; y++) {
      if (y < 0 || y >= f.height) {
        for (ptrdiff_t x = 0; x < f.columns; x++) *out++ = (v16){};
        continue;
      }
      const float *from = image + y * f.width * f.ld + c;
      for (ptrdiff_t x = 0; x < f.left; x++) *out++ = (v16){};
      for (ptrdiff_t x = 0; x < f.width; x++, from += f.ld) *out++ = *(const v16 *)from;
      for (ptrdiff_t x = 0; x < right; x++) *out++ = (v16){};
    }
  }
}

#define UNPACK(a, b, i) __builtin_shufflevector(a, b, i, i + 8, i + 1, i + 9, i + 4, i + 12, i + 5, i + 13)
#define HALVES(a, b, i) __builtin_shufflevector(a, b, i, i + 1, i + 8, i + 9, i + 4, i + 5, i + 12, i + 13)
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define UPPER(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

// Eight rows of eight floats, transposed; `to` in rows of 16.
INLINE void transpose(const float *from, ptrdiff_t ld, float *to) {
  v8 row[8], pair[8], four[8];
  for (int i = 0; i < 8; i++) row[i] = *(const v8 *)(from + i * ld);
  for (int i = 0; i < 4; i++) {
    pair[2 * i] = UNPACK(row[2 * i], row[2 * i + 1], 0);
    pair[2 * i + 1] = UNPACK(row[2 * i], row[2 * i + 1], 2);
  }
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      four[4 * i + 2 * j] = HALVES(pair[4 * i + j], pair[4 * i + j + 2], 0);
      four[4 * i + 2 * j + 1] = HALVES(pair[4 * i + j], pair[4 * i + j + 2], 2);
    }
  for (int j = 0; j < 4; j++) {
    *(v8 *)(to + 16 * j) = LOWER(four[j], four[j + 4]);
    *(v8 *)(to + 16 * (j + 4)) = UPPER(four[j], four[j + 4]);
  }
}

CLONES void tk_pack_rows(const float *weight, ptrdiff_t outputs, ptrdiff_t patch, float *packed) {
  for (ptrdiff_t output = 0; output < outputs; output += 16, weight += 16 * patch) {
    ptrdiff_t j = 0;
    for (; j + 8 <= patch; j += 8, packed += 8 * 16) {
      transpose(weight + j, patch, packed);
      transpose(weight + 8 * patch + j, patch, packed + 8);
    }
    for (; j < patch; j++, packed += 16)
      for (int l = 0; l < 16; l++) packed[l] = weight[l * patch + j];
  }
}

CLONES void tk_pack_columns(const float *weight, ptrdiff_t outputs, ptrdiff_t patch, ptrdiff_t inputs, const ptrdiff_t *taps,
                            ptrdiff_t count, float *packed) {
  for (ptrdiff_t column = 0; column < inputs; column += 16)
    for (ptrdiff_t t = 0; t < count; t++) {
      const float *from = weight + taps[t] * inputs + column;
      for (ptrdiff_t o = 0; o < outputs; o++, from += patch, packed += 16) *(v16 *)packed = *(const v16 *)from;
    }
}
