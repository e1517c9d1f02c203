// The arithmetic of a GRU, for WebAssembly with 128-bit vectors: four floats at once.
// scripts/make_page_kernel.py compiles it to kernel.wasm.
//
// Weights are folded as in grubio/model/engines/gru_layer.py: a logistic function is a hyperbolic
// tangent, and the halves are in the weights. Columns of a product are multiples of 8; its weights
// lie in panels of 8 columns, (panel, input, 8). Memory is given out by engine.js.

#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define CHUNK 512  // rows whose inputs are multiplied at once; a step may have more

typedef v128_t V;

static inline V splat(float a) { return wasm_f32x4_splat(a); }
static inline V plus(V a, V b) { return wasm_f32x4_add(a, b); }
static inline V times(V a, V b) { return wasm_f32x4_mul(a, b); }

// The rational function of Eigen (Eigen/src/Core/MathFunctionsImpl.h); a few units in the last place.
static inline V tanh4(V a) {
  const V most = splat(7.90531110763549805f);
  const V x = wasm_f32x4_pmin(most, wasm_f32x4_pmax(wasm_f32x4_neg(most), a));
  const V s = times(x, x);
  V p = splat(-2.76076847742355e-16f);
  p = plus(times(p, s), splat(2.00018790482477e-13f));
  p = plus(times(p, s), splat(-8.60467152213735e-11f));
  p = plus(times(p, s), splat(5.12229709037114e-08f));
  p = plus(times(p, s), splat(1.48572235717979e-05f));
  p = plus(times(p, s), splat(6.37261928875436e-04f));
  p = plus(times(p, s), splat(4.89352455891786e-03f));
  V q = splat(1.19825839466702e-06f);
  q = plus(times(q, s), splat(1.18534705686654e-04f));
  q = plus(times(q, s), splat(2.26843463243900e-03f));
  q = plus(times(q, s), splat(4.89352518554385e-03f));
  return wasm_f32x4_div(times(x, p), q);
}

// ROWS rows times one panel, added to the bias.
#define PANEL(ROWS)                                                          \
  {                                                                          \
    V low[ROWS], high[ROWS];                                                 \
    for (int r = 0; r < ROWS; r++) {                                         \
      low[r] = wasm_v128_load(bias + at);                                    \
      high[r] = wasm_v128_load(bias + at + 4);                               \
    }                                                                        \
    const float* w = panel;                                                  \
    for (int i = 0; i < inputs; i++, w += 8) {                               \
      const V left = wasm_v128_load(w), right = wasm_v128_load(w + 4);       \
      for (int r = 0; r < ROWS; r++) {                                       \
        const V x = wasm_v128_load32_splat(a + r * stride + i);              \
        low[r] = plus(low[r], times(x, left));                               \
        high[r] = plus(high[r], times(x, right));                            \
      }                                                                      \
    }                                                                        \
    for (int r = 0; r < ROWS; r++) {                                         \
      wasm_v128_store(out + r * columns + at, low[r]);                       \
      wasm_v128_store(out + r * columns + at + 4, high[r]);                  \
    }                                                                        \
  }

// Rows (row, inputs), `stride` floats apart, times weights, plus bias: out (row, columns).
EXPORT(product)
void product(const float* a, int stride, const float* weights, const float* bias, float* out, int rows, int inputs,
             int columns) {
  for (; rows >= 4; rows -= 4, a += 4 * stride, out += 4 * columns) {
    const float* panel = weights;
    for (int at = 0; at < columns; at += 8, panel += 8 * inputs) PANEL(4)
  }
  if (rows == 3) {
    const float* panel = weights;
    for (int at = 0; at < columns; at += 8, panel += 8 * inputs) PANEL(3)
  } else if (rows == 2) {
    const float* panel = weights;
    for (int at = 0; at < columns; at += 8, panel += 8 * inputs) PANEL(2)
  } else if (rows == 1) {
    const float* panel = weights;
    for (int at = 0; at < columns; at += 8, panel += 8 * inputs) PANEL(1)
  }
}

// What the first layer reads of each row: the channels of its residue, then the rectified convolution.
// `tables` (width, code, filters) holds the share of a code at each place of the kernel. The window of
// a row begins at `windows[row]` of the codes. Filters are a multiple of 4.
EXPORT(stem)
void stem(const unsigned char* codes, const int* windows, int rows, const float* channels, int size,
          const float* tables, const float* bias, int width, int known, int filters, float* out, int stride) {
  for (int row = 0; row < rows; row++, out += stride) {
    const unsigned char* seen = codes + windows[row];
    const float* own = channels + seen[width / 2] * size;
    for (int i = 0; i < size; i++) out[i] = own[i];
    for (int f = 0; f < filters; f += 4) {
      V sum = wasm_v128_load(bias + f);
      const float* table = tables + f;
      for (int w = 0; w < width; w++, table += known * filters) {
        sum = plus(sum, wasm_v128_load(table + seen[w] * filters));
      }
      wasm_v128_store(out + size + f, wasm_f32x4_pmax(splat(0), sum));
    }
  }
}

// A GRU in one direction. Rows are packed: those of the first step of all sequences, then those of the
// second, `counts` in each, the longest sequence first. Row r reads row `order[r]` of the inputs
// (row, inputs), and its state is written to that row of `out`, `stride` floats apart. The state
// (sequence, hidden) is 0 at the start; `room` has space for the inputs and gates of a chunk.
EXPORT(layer)
void layer(const float* x, int inputs, const int* order, const int* counts, int steps, const float* input_weights,
           const float* input_bias, const float* weights, const float* bias, int hidden, float* out, int stride,
           float* state, float* room) {
  const int gates = 3 * hidden;
  for (int first = 0; first < steps;) {
    int last = first, rows = 0;
    while (last < steps && (last == first || rows + counts[last] <= CHUNK)) rows += counts[last++];
    float* seen = room;
    float* given = room + rows * inputs;
    float* moved = given + rows * gates;
    for (int r = 0; r < rows; r++) {
      const float* own = x + order[r] * inputs;
      for (int i = 0; i < inputs; i++) seen[r * inputs + i] = own[i];
    }
    product(seen, inputs, input_weights, input_bias, given, rows, inputs, gates);
    for (; first < last; first++) {
      const int count = counts[first];
      product(state, hidden, weights, bias, moved, count, hidden, gates);
      for (int r = 0; r < count; r++, given += gates) {
        const float* m = moved + r * gates;
        float* s = state + r * hidden;
        float* to = out + order[r] * stride;
        for (int i = 0; i < hidden; i += 4) {
          const V reset = plus(splat(1), tanh4(plus(wasm_v128_load(given + i), wasm_v128_load(m + i))));
          const V update =
              plus(splat(1), tanh4(plus(wasm_v128_load(given + hidden + i), wasm_v128_load(m + hidden + i))));
          const V candidate = tanh4(
              plus(wasm_v128_load(given + 2 * hidden + i), times(reset, wasm_v128_load(m + 2 * hidden + i))));
          const V before = wasm_f32x4_sub(wasm_v128_load(s + i), candidate);
          const V now = plus(times(times(before, update), splat(0.5f)), candidate);
          wasm_v128_store(s + i, now);
          wasm_v128_store(to + i, now);
        }
      }
      order += count;
    }
  }
}
