// Elementary functions from + - * / and fma alone, so that every build and every machine gives the same bits.
#pragma once
#include "lanes.h"

namespace lockstep {

// 2^n for -126 <= n <= 127, as a float
INLINE float powerOfTwo(int n) {
  uint32_t bits = (uint32_t)(n + 127) << 23;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

// e^x for the 16 lanes at x, in place; x <= 0, below -87 gives 0, NaN stays. Relative error under 2e-7.
INLINE void expLanes(float* x) {
  alignas(64) float exponent[BLOCK], power[BLOCK];
  for (int i = 0; i < BLOCK; i++) {
    const float t = x[i] > -87.0f ? x[i] : -87.0f;
    exponent[i] = (float)(int)(t * 1.44269504f - 0.5f);  // nearest, as t <= 0
  }
  for (int h = 0; h < BLOCK; h += LR) {
    const R k = load(exponent + h);
    R r = fma(k, splat(-0.693359375f), load(x + h));  // x - k ln 2, in two pieces
    r = fma(k, splat(2.12194440e-4f), r);
    R p = splat(1.0f / 5040);  // Taylor, |r| <= 0.35
    p = fma(p, r, splat(1.0f / 720));
    p = fma(p, r, splat(1.0f / 120));
    p = fma(p, r, splat(1.0f / 24));
    p = fma(p, r, splat(1.0f / 6));
    p = fma(p, r, splat(0.5f));
    p = fma(p, r, splat(1.0f));
    p = fma(p, r, splat(1.0f));
    store(power + h, p);
  }
  for (int i = 0; i < BLOCK; i++) {
    if (x[i] == x[i]) x[i] = x[i] > -87.0f ? power[i] * powerOfTwo((int)exponent[i]) : 0.0f;
  }
}

// Natural logarithm of a finite x > 0, in double; relative error about 1e-15.
static inline double logarithm(double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  int exponent = (int)(bits >> 52) - 1023;
  bits = (bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull;
  double m;
  memcpy(&m, &bits, 8);
  if (m > 1.4142135623730951) {
    m = m * 0.5;
    exponent++;
  }
  // log m = 2 artanh(s), s = (m - 1)/(m + 1), |s| <= 0.172
  const double s = (m - 1) / (m + 1), q = s * s;
  double sum = 1.0 / 21;
  for (int k = 19; k >= 1; k -= 2) sum = sum * q + 1.0 / k;
  return 2 * s * sum + exponent * 0.6931471805599453;
}

// Sine and cosine of an angle in degrees, |angle| <= 180, in double; error under 1e-15.
static inline void sineCosine(double degrees, double& sine, double& cosine) {
  // quarter turns, then Taylor on |r| <= 45 degrees
  int quarter = (int)(degrees / 90 + (degrees < 0 ? -0.5 : 0.5));
  const double r = (degrees - 90.0 * quarter) * 0.017453292519943295, q = r * r;
  // sin r / r = 1 - q/(2*3) (1 - q/(4*5) (1 - ...)), cos r = 1 - q/(1*2) (1 - q/(3*4) (1 - ...))
  double s = 0, c = 0;
  for (int k = 19; k >= 3; k -= 2) s = -(1 + s) * q / (k * (k - 1));
  for (int k = 18; k >= 2; k -= 2) c = -(1 + c) * q / (k * (k - 1));
  s = r * (1 + s);
  c = 1 + c;
  switch (quarter & 3) {
    case 0: sine = s, cosine = c; break;
    case 1: sine = c, cosine = -s; break;
    case 2: sine = -s, cosine = -c; break;
    default: sine = -c, cosine = s; break;
  }
}

}  // namespace lockstep
