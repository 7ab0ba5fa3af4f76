// Element-wise kernels of the detector's training step. Tensors are channels-last: `rows` pixels of `channels`
// consecutive floats, `ld` floats from one pixel to the next (a slice of a wider tensor has ld > channels).
// Unless said otherwise channels is a multiple of 4 and the buffers do not overlap.
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
// The transpose: image += patches.
void tk_patches_add(const tk_geometry *g, const float *patches, ptrdiff_t y0, ptrdiff_t y1, float *image);

// Direct convolutions: products that read their pixels where they are. Every path gives sums in the same order of pixels
// and weights; they differ in rounding. A path must be available.
enum tk_direct_path {
  TK_DIRECT_AVX2 = 1,    // x86: AVX2 and FMA
  TK_DIRECT_AVX512 = 2,  // x86: AVX-512
};
int tk_direct_path_available(int path);

// What a product reads at a pixel: `count` runs of `length` consecutive floats, `pitch` floats from one to the next.
typedef struct {
  ptrdiff_t count, length, pitch;
} tk_runs;
// target[i][c] = Σ over runs and places of source[i][run * pitch + place] * packed[c / 16][run][place][c % 16], for
// 0 <= i < count, 0 <= c < columns; += if `accumulates`. Columns a multiple of 16.
void tk_gather(int path, const float *const *source, float *const *target, ptrdiff_t count, const tk_runs *runs,
               const float *packed, ptrdiff_t columns, int accumulates);

// `count` lines of `width` pixels, of the outputs' gradient as panels of 16 outputs, `gradient_panel` floats from one panel
// to the next, and of the input, `input_step` floats from one pixel to the next.
typedef struct {
  const float *const *gradient, *const *input;
  ptrdiff_t count, width, gradient_panel, input_step;
} tk_lines;
// 16 consecutive floats of the input, `offset` from a line's pointers, and where their gradient is in an output's weights;
// the first `skipped` belong to another column.
typedef struct {
  ptrdiff_t offset, place, skipped;
} tk_column;
// gradient[o * ld + place + l] += Σ over pixels of the outputs' gradient o times the input's float l of the column, for
// 0 <= o < outputs, skipped <= l < 16. Outputs a multiple of 16.
void tk_outer(int path, const tk_lines *lines, const tk_column *columns, ptrdiff_t count, ptrdiff_t outputs,
              float *gradient, ptrdiff_t ld);

// Rows top..<top + rows of one image of height x width pixels, as `columns` dense pixels each: `left` zeros, the image's
// row, zeros. Rows outside the image are zeros.
typedef struct {
  ptrdiff_t height, width, channels, ld;
  ptrdiff_t top, rows, left, columns;
} tk_frame;
void tk_pad(const tk_frame *frame, const float *image, float *to);
// The same as panels of 16 channels, `panel` floats from one to the next. Channels a multiple of 16.
void tk_panels(const tk_frame *frame, const float *image, float *to, ptrdiff_t panel);

// weight[outputs][patch] as tk_gather reads it: [output / 16][patch][output % 16]. Outputs a multiple of 16.
void tk_pack_rows(const float *weight, ptrdiff_t outputs, ptrdiff_t patch, float *packed);
// weight[outputs][tap][inputs] for products with the outputs' gradient: [input / 16][taps in this order][output][input % 16].
// Inputs a multiple of 16; `patch` floats from one output to the next.
void tk_pack_columns(const float *weight, ptrdiff_t outputs, ptrdiff_t patch, ptrdiff_t inputs, const ptrdiff_t *taps,
                     ptrdiff_t count, float *packed);

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

// z = x and z += x, row by row; any number of channels.
void tk_copy(const float *x, ptrdiff_t ld, ptrdiff_t rows, ptrdiff_t channels, float *z, ptrdiff_t ldz);
void tk_add_rows(const float *x, ptrdiff_t ld, ptrdiff_t rows, ptrdiff_t channels, float *z, ptrdiff_t ldz);

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
