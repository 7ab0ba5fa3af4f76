// The instruction sets of the direct convolution; direct_dispatch.c chooses.
#ifndef DIRECT_KERNELS_H
#define DIRECT_KERNELS_H
#include "training_vector.h"

#define DECLARE(set)                                                                                                  \
  void tk_gather_##set(const float *const *source, float *const *target, ptrdiff_t count, const tk_runs *runs,        \
                       const float *packed, ptrdiff_t columns, int accumulates);                                     \
  void tk_outer_##set(const tk_lines *lines, const tk_column *columns, ptrdiff_t count, ptrdiff_t outputs,            \
                      float *gradient, ptrdiff_t ld);
DECLARE(avx2)
DECLARE(avx512)
#undef DECLARE

#endif
