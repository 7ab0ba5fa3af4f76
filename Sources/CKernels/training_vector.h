// Shared by the training kernels: run-time dispatch between instruction sets without compiler flags, and the vector types.
// One 16-float vector is one, two or four registers, depending on the clone.
#ifndef TRAINING_VECTOR_H
#define TRAINING_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "include/training_kernels.h"

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float v16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef float v8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t i16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t i8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t i4 __attribute__((vector_size(16), aligned(4), may_alias));

INLINE void copy_floats(float *to, const float *from, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) *(v8 *)(to + i) = *(const v8 *)(from + i);
  for (; i < count; i++) to[i] = from[i];
}

#endif
