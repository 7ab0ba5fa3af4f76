// The optimiser's passes over flat parameter buffers; any count.
#include "training_vector.h"

CLONES void tk_add(float *restrict x, const float *restrict y, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) x[i] += y[i];
}

// Float partial sums over 1,024 numbers in 16 lanes, double beyond.
CLONES double tk_squared_norm(const float *x, ptrdiff_t count) {
  double total = 0;
  for (ptrdiff_t first = 0; first < count; first += 1024) {
    const ptrdiff_t end = first + 1024 < count ? first + 1024 : count;
    v16 lanes = {};
    ptrdiff_t i = first;
    for (; i + 16 <= end; i += 16) lanes += *(const v16 *)(x + i) * *(const v16 *)(x + i);
    for (int l = 0; l < 16; l++) total += (double)lanes[l];
    for (; i < end; i++) total += (double)x[i] * (double)x[i];
  }
  return total;
}

CLONES void tk_sgd_step(float *restrict value, const float *restrict gradient, float *restrict momentum,
                        ptrdiff_t count, float rate, float m, float decay, float clip) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const float g = gradient[i] * clip + decay * value[i];
    const float buffer = m * momentum[i] + g;
    momentum[i] = buffer;
    value[i] -= rate * (g + m * buffer);
  }
}

CLONES void tk_adamw_step(float *restrict value, const float *restrict gradient, float *restrict mean,
                          float *restrict square, ptrdiff_t count, const tk_adamw *s) {
  const float shrink = 1.0f - s->rate * s->decay, step = s->rate * s->mean_correction;
  for (ptrdiff_t i = 0; i < count; i++) {
    const float g = gradient[i];
    const float m = s->mean_decay * mean[i] + (1.0f - s->mean_decay) * g;
    const float v = s->square_decay * square[i] + (1.0f - s->square_decay) * g * g;
    mean[i] = m;
    square[i] = v;
    value[i] = shrink * value[i] - step * m / (__builtin_sqrtf(s->square_correction * v) + s->epsilon);
  }
}

CLONES void tk_average(float *restrict average, const float *restrict value, ptrdiff_t count, float d) {
  for (ptrdiff_t i = 0; i < count; i++) average[i] = d * average[i] + (1.0f - d) * value[i];
}
