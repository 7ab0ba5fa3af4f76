// Element-wise kernels of the detector's training step. Tensors are channels-last: `rows` pixels of `channels`
// consecutive floats, `ld` floats from one pixel to the next (a slice of a wider tensor has ld > channels).
// Unless said otherwise channels is a multiple of 8 and the buffers do not overlap.
#ifndef TRAINING_KERNELS_H
#define TRAINING_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// sum[c] += Σ (x - pivot[c]), squares[c] += Σ (x - pivot[c])².
void tk_channel_sums(const float *x, ptrdiff_t rows, ptrdiff_t channels, const float *pivot, double *sum,
                     double *squares);

// z = silu(y * scale + shift) [+ residual]; y is dense.
void tk_norm_silu(const float *y, ptrdiff_t rows, ptrdiff_t channels, const float *scale, const float *shift, float *z,
                  ptrdiff_t ldz, const float *residual, ptrdiff_t ld_residual);

// du = dz * silu'(y * scale + shift); sum[c] += Σ du, product[c] += Σ du (y - mean[c]). y and du are dense.
void tk_norm_silu_backward(const float *y, const float *dz, ptrdiff_t lddz, ptrdiff_t rows, ptrdiff_t channels,
                           const float *scale, const float *shift, const float *mean, float *du, double *sum,
                           double *product);

// dy = a du + b (y - mean) + c, all per channel; everything dense; dy may be du.
void tk_norm_backward(const float *du, const float *y, ptrdiff_t rows, ptrdiff_t channels, const float *a,
                      const float *b, const float *c, const float *mean, float *dy);

// x[row][c] += bias[c] for any number of channels; and its transpose: bias[c] += Σ x.
void tk_add_bias(float *x, ptrdiff_t rows, ptrdiff_t channels, const float *bias);
void tk_bias_gradient(const float *x, ptrdiff_t rows, ptrdiff_t channels, float *bias);

// One image of height x width pixels. Patches of output rows y0..<y1 as [pixel][ky][kx][channel], zeros outside.
typedef struct {
  ptrdiff_t height, width, channels, ld;
  ptrdiff_t kernel, stride, padding, out_width;
} tk_geometry;
void tk_patches(const tk_geometry *g, const float *image, ptrdiff_t y0, ptrdiff_t y1, float *patches);
// The transpose: image += patches. Channels a multiple of 8.
void tk_patches_add(const tk_geometry *g, const float *patches, ptrdiff_t y0, ptrdiff_t y1, float *image);

// 5 x 5 maximum, stride 1, padding 2, of one image; `place` gets the input pixel of the first maximum in scan order
// (NULL: not wanted). Backward: dx[place] += dz.
void tk_max_pool(const float *x, ptrdiff_t ld, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels, float *z,
                 ptrdiff_t ldz, int32_t *place);
void tk_max_pool_backward(const float *dz, ptrdiff_t lddz, const int32_t *place, ptrdiff_t pixels, ptrdiff_t channels,
                          float *dx, ptrdiff_t lddx);

// Nearest doubling of one image of height x width, and its transpose dx += ....
void tk_upsample(const float *x, ptrdiff_t ld, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels, float *z,
                 ptrdiff_t ldz);
void tk_upsample_backward(const float *dz, ptrdiff_t lddz, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels,
                          float *dx, ptrdiff_t lddx);

// Zeroes `channels` floats of each row.
void tk_clear(float *x, ptrdiff_t rows, ptrdiff_t channels, ptrdiff_t ld);
// x += y, dense, any count.
void tk_add(float *x, const float *y, ptrdiff_t count);
double tk_squared_norm(const float *x, ptrdiff_t count);
// Nesterov: g = clip * gradient + decay * value; momentum = m * momentum + g; value -= rate * (g + m * momentum).
void tk_sgd_step(float *value, const float *gradient, float *momentum, ptrdiff_t count, float rate, float m, float decay,
                 float clip);
// AdamW: mean = b1 * mean + (1 - b1) * gradient; square = b2 * square + (1 - b2) * gradient²;
// value -= rate * (decay * value + c1 * mean / (√(c2 * square) + epsilon)), c = 1 / (1 - b^steps).
typedef struct {
  float rate, decay, mean_decay, square_decay, mean_correction, square_correction, epsilon;
} tk_adamw;
void tk_adamw_step(float *value, const float *gradient, float *mean, float *square, ptrdiff_t count, const tk_adamw *s);
// average = d * average + (1 - d) * value.
void tk_average(float *average, const float *value, ptrdiff_t count, float d);

#endif
