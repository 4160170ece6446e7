// WebAssembly's vector operations, as many of them as native/lanes.h and bf16.h use, for this machine's compiler: sanitizers
// see nothing of a WebAssembly module, but this way they see the page of the kernels that is compiled to it.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#define LANES(type) type __attribute__((vector_size(16), may_alias))
#define OPERATION static inline __attribute__((always_inline))

typedef LANES(uint32_t) v128_t;
typedef LANES(float) Floats;
typedef LANES(double) Doubles;
typedef LANES(uint64_t) Longs;

OPERATION v128_t wasm_v128_load(const void* p) {
  v128_t a;
  memcpy(&a, p, sizeof a);
  return a;
}
OPERATION void wasm_v128_store(void* p, v128_t a) { memcpy(p, &a, sizeof a); }
OPERATION v128_t wasm_v128_load32_splat(const void* p) {
  uint32_t a;
  memcpy(&a, p, sizeof a);
  return v128_t{a, a, a, a};
}
OPERATION v128_t wasm_v128_and(v128_t a, v128_t b) { return a & b; }
OPERATION v128_t wasm_v128_or(v128_t a, v128_t b) { return a | b; }
OPERATION v128_t wasm_v128_xor(v128_t a, v128_t b) { return a ^ b; }
OPERATION v128_t wasm_v128_andnot(v128_t a, v128_t b) { return a & ~b; }
OPERATION v128_t wasm_v128_bitselect(v128_t a, v128_t b, v128_t mask) { return (a & mask) | (b & ~mask); }
OPERATION bool wasm_v128_any_true(v128_t a) { return (a[0] | a[1] | a[2] | a[3]) != 0; }

OPERATION v128_t wasm_f32x4_const(float a, float b, float c, float d) { return (v128_t)Floats{a, b, c, d}; }
OPERATION v128_t wasm_f32x4_splat(float a) { return wasm_f32x4_const(a, a, a, a); }
OPERATION v128_t wasm_f32x4_add(v128_t a, v128_t b) { return (v128_t)((Floats)a + (Floats)b); }
OPERATION v128_t wasm_f32x4_sub(v128_t a, v128_t b) { return (v128_t)((Floats)a - (Floats)b); }
OPERATION v128_t wasm_f32x4_mul(v128_t a, v128_t b) { return (v128_t)((Floats)a * (Floats)b); }
OPERATION v128_t wasm_f32x4_div(v128_t a, v128_t b) { return (v128_t)((Floats)a / (Floats)b); }
OPERATION v128_t wasm_f32x4_eq(v128_t a, v128_t b) { return (v128_t)((Floats)a == (Floats)b); }
OPERATION v128_t wasm_f32x4_gt(v128_t a, v128_t b) { return (v128_t)((Floats)a > (Floats)b); }
OPERATION v128_t wasm_f32x4_sqrt(v128_t a) {
  const Floats f = (Floats)a;
  return wasm_f32x4_const(sqrtf(f[0]), sqrtf(f[1]), sqrtf(f[2]), sqrtf(f[3]));
}
OPERATION v128_t wasm_f32x4_demote_f64x2_zero(v128_t a) { return wasm_f32x4_const((float)((Doubles)a)[0], (float)((Doubles)a)[1], 0, 0); }

OPERATION v128_t wasm_f64x2_const(double a, double b) { return (v128_t)Doubles{a, b}; }
OPERATION v128_t wasm_f64x2_const_splat(double a) { return wasm_f64x2_const(a, a); }
OPERATION v128_t wasm_f64x2_promote_low_f32x4(v128_t a) { return wasm_f64x2_const(((Floats)a)[0], ((Floats)a)[1]); }
OPERATION v128_t wasm_f64x2_add(v128_t a, v128_t b) { return (v128_t)((Doubles)a + (Doubles)b); }
OPERATION v128_t wasm_f64x2_sub(v128_t a, v128_t b) { return (v128_t)((Doubles)a - (Doubles)b); }
OPERATION v128_t wasm_f64x2_mul(v128_t a, v128_t b) { return (v128_t)((Doubles)a * (Doubles)b); }
OPERATION v128_t wasm_f64x2_abs(v128_t a) { return (v128_t)((Longs)a & (UINT64_MAX >> 1)); }
OPERATION v128_t wasm_f64x2_gt(v128_t a, v128_t b) { return (v128_t)((Doubles)a > (Doubles)b); }
OPERATION v128_t wasm_f64x2_lt(v128_t a, v128_t b) { return (v128_t)((Doubles)a < (Doubles)b); }

OPERATION v128_t wasm_i32x4_const(int32_t a, int32_t b, int32_t c, int32_t d) {
  return v128_t{(uint32_t)a, (uint32_t)b, (uint32_t)c, (uint32_t)d};
}
OPERATION v128_t wasm_i32x4_splat(int32_t a) { return wasm_i32x4_const(a, a, a, a); }
OPERATION v128_t wasm_i32x4_add(v128_t a, v128_t b) { return a + b; }
OPERATION v128_t wasm_i32x4_eq(v128_t a, v128_t b) { return (v128_t)(a == b); }
OPERATION v128_t wasm_u32x4_shr(v128_t a, uint32_t bits) { return a >> bits; }

OPERATION v128_t wasm_i64x2_const(int64_t a, int64_t b) { return (v128_t)Longs{(uint64_t)a, (uint64_t)b}; }
OPERATION v128_t wasm_i64x2_const_splat(int64_t a) { return wasm_i64x2_const(a, a); }
OPERATION v128_t wasm_i64x2_add(v128_t a, v128_t b) { return (v128_t)((Longs)a + (Longs)b); }
OPERATION v128_t wasm_i64x2_sub(v128_t a, v128_t b) { return (v128_t)((Longs)a - (Longs)b); }
OPERATION v128_t wasm_i64x2_eq(v128_t a, v128_t b) { return (v128_t)((Longs)a == (Longs)b); }
OPERATION v128_t wasm_i64x2_shuffle(v128_t a, v128_t b, int i, int j) {
  const Longs low = (Longs)a, high = (Longs)b;
  return (v128_t)Longs{i < 2 ? low[i] : high[i - 2], j < 2 ? low[j] : high[j - 2]};
}
