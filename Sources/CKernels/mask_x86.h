// The loop that the three x86 kernels share. A file defines the vector type and its instructions, then includes this
// text: one algorithm, three widths. LANES blocks sit in one vector, UNROLL vectors are in flight to hide AES latency.
//
// Compilers put the rounds of one vector behind each other, to keep all keys in registers; the processor's window then holds too few
// independent vectors, and a fifth of the speed is lost. IN_ORDER keeps the order as it is written: all vectors, round by round.
#define IN_ORDER(vector) __asm__ volatile("" : "+x"(vector))

// The counter of each block is kept as prefix ‖ little-endian number and its last four bytes are reversed on use.

TARGET
void MASK_APPLY(uint32_t *destination, size_t blocks, const uint8_t round_keys[MASK_ROUND_KEYS_BYTES],
                const uint8_t prefix[12], uint32_t first_block, int subtract) {
  VECTOR keys[15];
  for (int i = 0; i < 15; i++) keys[i] = BROADCAST(_mm_loadu_si128((const __m128i *)(round_keys + 16 * i)));
  uint8_t first[16];
  memcpy(first, prefix, 12);
  memcpy(first + 12, &first_block, 4);
  const VECTOR swap = BROADCAST(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 14, 13, 12));
  VECTOR counter = ADD(BROADCAST(_mm_loadu_si128((const __m128i *)first)), LANE_NUMBERS);
  const VECTOR step = BROADCAST(_mm_setr_epi32(0, 0, 0, LANES));
  size_t block = 0;
  for (; block + LANES * UNROLL <= blocks; block += LANES * UNROLL) {
    VECTOR state[UNROLL];
    for (int j = 0; j < UNROLL; j++) {
      state[j] = XOR(SHUFFLE(counter, swap), keys[0]);
      counter = ADD(counter, step);
    }
    for (int r = 1; r < 14; r++)
      for (int j = 0; j < UNROLL; j++) {
        state[j] = ROUND(state[j], keys[r]);
        IN_ORDER(state[j]);
      }
    uint32_t *out = destination + 4 * block;
    for (int j = 0; j < UNROLL; j++) {
      VECTOR mask = LAST_ROUND(state[j], keys[14]);
      VECTOR old = LOAD(out + 4 * LANES * j);
      STORE(out + 4 * LANES * j, subtract ? SUBTRACT(old, mask) : ADD(old, mask));
    }
  }
  for (; block < blocks; block += LANES) {
    VECTOR state = XOR(SHUFFLE(counter, swap), keys[0]);
    counter = ADD(counter, step);
    for (int r = 1; r < 14; r++) state = ROUND(state, keys[r]);
    state = LAST_ROUND(state, keys[14]);
    // The last vector may reach past the buffer: its blocks go through a local copy.
    uint32_t words[4 * LANES];
    STORE(words, state);
    size_t count = blocks - block < LANES ? 4 * (blocks - block) : 4 * LANES;
    uint32_t *out = destination + 4 * block;
    for (size_t i = 0; i < count; i++) out[i] = subtract ? out[i] - words[i] : out[i] + words[i];
  }
}
