// The two tiles of a direct convolution, for one instruction set. The including file defines
//   TARGET          the function attribute that switches the instructions on
//   NAME(x)         this set's name of x
//   VECTOR          one register of floats, VECTORS registers to a column of 16
//   TALL, LOW       pixels of a full tile, whose sums must fit the registers, and of a smaller one for what is left
//   WIDE            outputs of a weight gradient's tile; two such tiles, or two and what is left, make 16
#define UNROLLED _Pragma("clang loop unroll(full)")
#define WIDTH (16 / VECTORS)

// `rows` pixels x 16 outputs, of which the first `kept` are stored.
TARGET INLINE void NAME(gather_tile)(const int rows, const float *const *source, float *const *target, ptrdiff_t kept,
                                     const tk_runs *runs, const float *weight, ptrdiff_t column, int accumulates) {
  VECTOR sum[TALL][VECTORS];
  const float *from[TALL];
  UNROLLED for (int r = 0; r < rows; r++) UNROLLED for (int v = 0; v < VECTORS; v++) sum[r][v] = (VECTOR){};
  for (ptrdiff_t run = 0; run < runs->count; run++) {
    UNROLLED for (int r = 0; r < rows; r++) from[r] = source[r < kept ? r : kept - 1] + run * runs->pitch;
    for (ptrdiff_t j = 0; j < runs->length; j++, weight += 16) {
      VECTOR w[VECTORS];
      UNROLLED for (int v = 0; v < VECTORS; v++) w[v] = *(const VECTOR *)(weight + v * WIDTH);
      UNROLLED for (int r = 0; r < rows; r++) UNROLLED for (int v = 0; v < VECTORS; v++) sum[r][v] += w[v] * from[r][j];
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    if (r >= kept) break;
    UNROLLED for (int v = 0; v < VECTORS; v++) {
      VECTOR *to = (VECTOR *)(target[r] + column + v * WIDTH);
      *to = accumulates ? *to + sum[r][v] : sum[r][v];
    }
  }
}

TARGET void NAME(tk_gather)(const float *const *source, float *const *target, ptrdiff_t count, const tk_runs *runs,
                            const float *packed, ptrdiff_t columns, int accumulates) {
  const ptrdiff_t size = runs->count * runs->length * 16;
  for (ptrdiff_t column = 0; column < columns; column += 16, packed += size) {
    ptrdiff_t i = 0;
    for (; i + LOW < count; i += TALL) {
      const ptrdiff_t kept = count - i < TALL ? count - i : TALL;
      NAME(gather_tile)(TALL, source + i, target + i, kept, runs, packed, column, accumulates);
    }
    if (i < count) NAME(gather_tile)(LOW, source + i, target + i, count - i, runs, packed, column, accumulates);
  }
}

// `rows` outputs x one column of the input, summed over all pixels.
TARGET INLINE void NAME(outer_tile)(const int rows, const tk_lines *lines, ptrdiff_t output, const tk_column *column,
                                    float *gradient, ptrdiff_t ld) {
  VECTOR sum[TALL][VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) UNROLLED for (int v = 0; v < VECTORS; v++) sum[r][v] = (VECTOR){};
  for (ptrdiff_t line = 0; line < lines->count; line++) {
    const float *g = lines->gradient[line] + output / 16 * lines->gradient_panel + output % 16;
    const float *x = lines->input[line] + column->offset;
    for (ptrdiff_t i = 0; i < lines->width; i++, g += 16, x += lines->input_step) {
      VECTOR in[VECTORS];
      UNROLLED for (int v = 0; v < VECTORS; v++) in[v] = *(const VECTOR *)(x + v * WIDTH);
      UNROLLED for (int r = 0; r < rows; r++) UNROLLED for (int v = 0; v < VECTORS; v++) sum[r][v] += in[v] * g[r];
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    float *to = gradient + (output + r) * ld + column->place;
    if (column->skipped == 0) {
      UNROLLED for (int v = 0; v < VECTORS; v++) *(VECTOR *)(to + v * WIDTH) += sum[r][v];
    } else {
      float all[16];
      UNROLLED for (int v = 0; v < VECTORS; v++) *(VECTOR *)(all + v * WIDTH) = sum[r][v];
      for (ptrdiff_t l = column->skipped; l < 16; l++) to[l] += all[l];
    }
  }
}

// Sixteen outputs at a time, so that their gradients stay in the first cache for all columns, and a column for all tiles.
TARGET void NAME(tk_outer)(const tk_lines *lines, const tk_column *columns, ptrdiff_t count, ptrdiff_t outputs,
                           float *gradient, ptrdiff_t ld) {
  for (ptrdiff_t output = 0; output < outputs; output += 16)
    for (ptrdiff_t c = 0; c < count; c++) {
      NAME(outer_tile)(WIDE, lines, output, columns + c, gradient, ld);
      NAME(outer_tile)(WIDE, lines, output + WIDE, columns + c, gradient, ld);
      if (2 * WIDE < 16) NAME(outer_tile)(16 - 2 * WIDE, lines, output + 2 * WIDE, columns + c, gradient, ld);
    }
}

#undef UNROLLED
#undef WIDTH
