// Batch norm and SiLU in as few passes over memory as possible: statistics; norm + SiLU (+ shortcut); both backward.
// Loops run over 16 (then 8, then 4) channels outside and pixels inside, so that the per-channel constants stay in registers; the
// pixels go in tiles small enough for the second group of channels to find its cache lines still near.
// Sums are kept in float over at most TILE pixels and in double beyond: the variance loses no digits to the count.
#pragma clang diagnostic ignored "-Wpsabi"
#include "training_vector.h"

enum { TILE = 64 };

// exp for |x| <= 87 by range reduction with a two-part ln 2 and the Cephes polynomial; 2 ulp.
#define DEFINE_LANES(V, I, W)                                                                                        \
  INLINE void exp_##V(V *v) {                                                                                        \
    V x = *v;                                                                                                        \
    x = __builtin_elementwise_min(__builtin_elementwise_max(x, (V){} - 87.0f), (V){} + 87.0f);                       \
    V shifted = x * 1.44269504088896341f + 12582912.0f;                                                              \
    V n = shifted - 12582912.0f;                                                                                     \
    V r = x - n * 0.693359375f;                                                                                      \
    r = r + n * 2.12194440e-4f;                                                                                      \
    V p = r * 1.9875691500e-4f + 1.3981999507e-3f;                                                                   \
    p = p * r + 8.3334519073e-3f;                                                                                    \
    p = p * r + 4.1665795894e-2f;                                                                                    \
    p = p * r + 1.6666665459e-1f;                                                                                    \
    p = p * r + 5.0000001201e-1f;                                                                                    \
    p = p * (r * r) + r + 1.0f;                                                                                      \
    *v = (V)((I)p + ((I)shifted << 23));                                                                             \
  }                                                                                                                  \
  INLINE void sums_##V(const float *x, ptrdiff_t rows, ptrdiff_t ld, const float *pivot, double *sum, double *sq) {  \
    V p = *(const V *)pivot, s = {}, q = {};                                                                         \
    for (ptrdiff_t i = 0; i < rows; i++) {                                                                           \
      V v = *(const V *)(x + i * ld) - p;                                                                            \
      s += v;                                                                                                        \
      q += v * v;                                                                                                    \
    }                                                                                                                \
    for (int l = 0; l < W; l++) sum[l] += (double)s[l], sq[l] += (double)q[l];                                       \
  }                                                                                                                  \
  INLINE void forward_##V(const float *y, ptrdiff_t rows, ptrdiff_t ld, const float *scale, const float *shift,      \
                          float *z, ptrdiff_t ldz, const float *residual, ptrdiff_t ldr) {                           \
    V a = *(const V *)scale, b = *(const V *)shift;                                                                  \
    for (ptrdiff_t i = 0; i < rows; i++) {                                                                           \
      V u = *(const V *)(y + i * ld) * a + b, e = -u;                                                                \
      exp_##V(&e);                                                                                                   \
      u = u / (e + 1.0f);                                                                                            \
      if (residual) u += *(const V *)(residual + i * ldr);                                                           \
      *(V *)(z + i * ldz) = u;                                                                                       \
    }                                                                                                                \
  }                                                                                                                  \
  INLINE void backward_##V(const float *y, ptrdiff_t ld, const float *dz, ptrdiff_t lddz, ptrdiff_t rows,            \
                           const float *scale, const float *shift, const float *mean, float *du, double *sum,        \
                           double *product) {                                                                        \
    V a = *(const V *)scale, b = *(const V *)shift, m = *(const V *)mean, s = {}, q = {};                            \
    for (ptrdiff_t i = 0; i < rows; i++) {                                                                           \
      V v = *(const V *)(y + i * ld), u = v * a + b, e = -u;                                                         \
      exp_##V(&e);                                                                                                   \
      V sigmoid = 1.0f / (e + 1.0f);                                                                                 \
      V d = *(const V *)(dz + i * lddz) * (sigmoid * (u * (1.0f - sigmoid) + 1.0f));                                 \
      *(V *)(du + i * ld) = d;                                                                                       \
      s += d;                                                                                                        \
      q += d * (v - m);                                                                                              \
    }                                                                                                                \
    for (int l = 0; l < W; l++) sum[l] += (double)s[l], product[l] += (double)q[l];                                  \
  }                                                                                                                  \
  INLINE void apply_##V(const float *du, const float *y, ptrdiff_t rows, ptrdiff_t ld, const float *a,               \
                        const float *b, const float *c, const float *mean, float *dy) {                              \
    V va = *(const V *)a, vb = *(const V *)b, vc = *(const V *)c, vm = *(const V *)mean;                             \
    for (ptrdiff_t i = 0; i < rows; i++)                                                                             \
      *(V *)(dy + i * ld) =                                                                                          \
          *(const V *)(du + i * ld) * va + ((*(const V *)(y + i * ld) - vm) * vb + vc);                              \
  }

DEFINE_LANES(v16, i16, 16)
DEFINE_LANES(v8, i8, 8)
DEFINE_LANES(v4, i4, 4)

// Runs BODY(v16), BODY(v8) and BODY(v4), a statement on channels from `c`, over all channels for each tile of `count` pixels from `first`.
#define FOR_TILES(rows, channels, BODY)                                            \
  for (ptrdiff_t first = 0; first < (rows); first += TILE) {                       \
    const ptrdiff_t count = (rows)-first < TILE ? (rows)-first : TILE;             \
    ptrdiff_t c = 0;                                                               \
    for (; c + 16 <= (channels); c += 16) BODY(v16);                               \
    for (; c + 8 <= (channels); c += 8) BODY(v8);                                  \
    for (; c + 4 <= (channels); c += 4) BODY(v4);                                  \
  }

CLONES void tk_channel_sums(const float *x, ptrdiff_t rows, ptrdiff_t channels, const float *pivot, double *sum,
                            double *squares) {
#define BODY(V) sums_##V(x + first * channels + c, count, channels, pivot + c, sum + c, squares + c)
  FOR_TILES(rows, channels, BODY)
#undef BODY
}

CLONES void tk_norm_silu(const float *y, ptrdiff_t rows, ptrdiff_t channels, const float *scale, const float *shift,
                         float *z, ptrdiff_t ldz, const float *residual, ptrdiff_t ldr) {
#define BODY(V)                                                                                                      \
  forward_##V(y + first * channels + c, count, channels, scale + c, shift + c, z + first * ldz + c, ldz,             \
              residual + first * ldr + c, ldr)
#define BODY_WITHOUT(V)                                                                                              \
  forward_##V(y + first * channels + c, count, channels, scale + c, shift + c, z + first * ldz + c, ldz, NULL, 0)
  if (residual) {
    FOR_TILES(rows, channels, BODY)
  } else {
    FOR_TILES(rows, channels, BODY_WITHOUT)
  }
#undef BODY
}

CLONES void tk_norm_silu_backward(const float *y, const float *dz, ptrdiff_t lddz, ptrdiff_t rows, ptrdiff_t channels,
                                  const float *scale, const float *shift, const float *mean, float *du, double *sum,
                                  double *product) {
#define BODY(V)                                                                                                      \
  backward_##V(y + first * channels + c, channels, dz + first * lddz + c, lddz, count, scale + c, shift + c,         \
               mean + c, du + first * channels + c, sum + c, product + c)
  FOR_TILES(rows, channels, BODY)
#undef BODY
}

CLONES void tk_norm_backward(const float *du, const float *y, ptrdiff_t rows, ptrdiff_t channels, const float *a,
                             const float *b, const float *c_, const float *mean, float *dy) {
#define BODY(V)                                                                                                      \
  apply_##V(du + first * channels + c, y + first * channels + c, count, channels, a + c, b + c, c_ + c, mean + c,    \
            dy + first * channels + c)
  FOR_TILES(rows, channels, BODY)
}
