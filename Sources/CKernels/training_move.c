// Data movement of the training step: patches for the matrix product, pooling, doubling, and their transposes.
#pragma clang diagnostic ignored "-Wpsabi"
#include "training_vector.h"

INLINE void add_floats(float *to, const float *from, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) *(v8 *)(to + i) += *(const v8 *)(from + i);
  for (; i < count; i++) to[i] += from[i];
}

INLINE void zero_floats(float *to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = 0;
}

CLONES void tk_patches(const tk_geometry *geometry, const float *image, ptrdiff_t y0, ptrdiff_t y1, float *patches) {
  const tk_geometry g = *geometry;
  for (ptrdiff_t oy = y0; oy < y1; oy++)
    for (ptrdiff_t ox = 0; ox < g.out_width; ox++) {
      const ptrdiff_t left = ox * g.stride - g.padding;
      const ptrdiff_t lo = left < 0 ? -left : 0;
      const ptrdiff_t hi = g.width - left < g.kernel ? g.width - left : g.kernel;
      for (ptrdiff_t ky = 0; ky < g.kernel; ky++, patches += g.kernel * g.channels) {
        const ptrdiff_t iy = oy * g.stride + ky - g.padding;
        if (iy < 0 || iy >= g.height || hi <= lo) {
          zero_floats(patches, g.kernel * g.channels);
          continue;
        }
        zero_floats(patches, lo * g.channels);
        zero_floats(patches + hi * g.channels, (g.kernel - hi) * g.channels);
        const float *from = image + (iy * g.width + left + lo) * g.ld;
        float *to = patches + lo * g.channels;
        if (g.ld == g.channels) {
          copy_floats(to, from, (hi - lo) * g.channels);
        } else {
          for (ptrdiff_t kx = lo; kx < hi; kx++, from += g.ld, to += g.channels) copy_floats(to, from, g.channels);
        }
      }
    }
}

CLONES void tk_patches_add(const tk_geometry *geometry, const float *patches, ptrdiff_t y0, ptrdiff_t y1, float *image) {
  const tk_geometry g = *geometry;
  for (ptrdiff_t oy = y0; oy < y1; oy++)
    for (ptrdiff_t ox = 0; ox < g.out_width; ox++) {
      const ptrdiff_t left = ox * g.stride - g.padding;
      const ptrdiff_t lo = left < 0 ? -left : 0;
      const ptrdiff_t hi = g.width - left < g.kernel ? g.width - left : g.kernel;
      for (ptrdiff_t ky = 0; ky < g.kernel; ky++, patches += g.kernel * g.channels) {
        const ptrdiff_t iy = oy * g.stride + ky - g.padding;
        if (iy < 0 || iy >= g.height || hi <= lo) continue;
        float *to = image + (iy * g.width + left + lo) * g.ld;
        const float *from = patches + lo * g.channels;
        for (ptrdiff_t kx = lo; kx < hi; kx++, to += g.ld, from += g.channels) add_floats(to, from, g.channels);
      }
    }
}

// The maximum of one window for as many channels as V has; the first in scan order wins.
#define POOL(V, I)                                                                \
  {                                                                               \
    V best = *(const V *)(x + (top * width + left) * ld + c);                     \
    I where = (I){} + (int32_t)(top * width + left);                              \
    for (ptrdiff_t iy = top; iy <= bottom; iy++)                                  \
      for (ptrdiff_t ix = left; ix <= right; ix++) {                              \
        const V v = *(const V *)(x + (iy * width + ix) * ld + c);                 \
        const I greater = v > best;                                               \
        best = __builtin_elementwise_max(best, v);                                \
        where = (greater & (int32_t)(iy * width + ix)) | (~greater & where);      \
      }                                                                           \
    *(V *)(z + pixel * ldz + c) = best;                                           \
    if (place) *(I *)(place + pixel * channels + c) = where;                      \
  }

CLONES void tk_max_pool(const float *x, ptrdiff_t ld, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels, float *z,
                        ptrdiff_t ldz, int32_t *place) {
  for (ptrdiff_t y = 0; y < height; y++)
    for (ptrdiff_t xx = 0; xx < width; xx++) {
      const ptrdiff_t top = y < 2 ? 0 : y - 2, bottom = y + 2 < height ? y + 2 : height - 1;
      const ptrdiff_t left = xx < 2 ? 0 : xx - 2, right = xx + 2 < width ? xx + 2 : width - 1;
      const ptrdiff_t pixel = y * width + xx;
      ptrdiff_t c = 0;
      for (; c + 8 <= channels; c += 8) POOL(v8, i8)
      for (; c + 4 <= channels; c += 4) POOL(v4, i4)
    }
}

void tk_max_pool_backward(const float *dz, ptrdiff_t lddz, const int32_t *place, ptrdiff_t pixels, ptrdiff_t channels,
                          float *dx, ptrdiff_t lddx) {
  for (ptrdiff_t pixel = 0; pixel < pixels; pixel++)
    for (ptrdiff_t c = 0; c < channels; c++) dx[place[pixel * channels + c] * lddx + c] += dz[pixel * lddz + c];
}

CLONES void tk_upsample(const float *x, ptrdiff_t ld, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels, float *z,
                        ptrdiff_t ldz) {
  for (ptrdiff_t y = 0; y < height * 2; y++)
    for (ptrdiff_t xx = 0; xx < width * 2; xx++)
      copy_floats(z + (y * width * 2 + xx) * ldz, x + (y / 2 * width + xx / 2) * ld, channels);
}

CLONES void tk_upsample_backward(const float *dz, ptrdiff_t lddz, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels,
                                 float *dx, ptrdiff_t lddx) {
  for (ptrdiff_t y = 0; y < height * 2; y++)
    for (ptrdiff_t xx = 0; xx < width * 2; xx++)
      add_floats(dx + (y / 2 * width + xx / 2) * lddx, dz + (y * width * 2 + xx) * lddz, channels);
}

CLONES void tk_clear(float *x, ptrdiff_t rows, ptrdiff_t channels, ptrdiff_t ld) {
  if (ld == channels) {
    memset(x, 0, (size_t)(rows * channels) * sizeof(float));
    return;
  }
  for (ptrdiff_t i = 0; i < rows; i++) memset(x + i * ld, 0, (size_t)channels * sizeof(float));
}

CLONES void tk_copy(const float *x, ptrdiff_t ld, ptrdiff_t rows, ptrdiff_t channels, float *z, ptrdiff_t ldz) {
  for (ptrdiff_t i = 0; i < rows; i++) copy_floats(z + i * ldz, x + i * ld, channels);
}

CLONES void tk_add_rows(const float *x, ptrdiff_t ld, ptrdiff_t rows, ptrdiff_t channels, float *z, ptrdiff_t ldz) {
  for (ptrdiff_t i = 0; i < rows; i++) add_floats(z + i * ldz, x + i * ld, channels);
}

CLONES void tk_add_bias(float *x, ptrdiff_t rows, ptrdiff_t channels, const float *bias) {
  for (ptrdiff_t i = 0; i < rows; i++) add_floats(x + i * channels, bias, channels);
}

CLONES void tk_bias_gradient(const float *x, ptrdiff_t rows, ptrdiff_t channels, float *bias) {
  for (ptrdiff_t c = 0; c < channels; c++) {
    double sum = 0;
    for (ptrdiff_t i = 0; i < rows; i++) sum += (double)x[i * channels + c];
    bias[c] += (float)sum;
  }
}
