// What a recipe may add to an update: the norm of the gradient, and the moving average of the state.
#pragma once
#include "lanes.h"

namespace lockstep {

// Floats of a chunk of the gradient whose squares are added up at once. Part of the order of additions.
constexpr int SQUARES_CHUNK = 4096;

// The sum of (gradient[i] / samples)^2 in double: the quotient rounded to float32; element i goes to lane i % 8, each
// lane in order, then the lanes in order.
double sumSquares(const float* gradient, float samples, int length);

// nextAverage = decay * average + rest * state: each product and the sum rounded to float32. Any length and alignment.
void runAverage(float decay, float rest, const float* state, const float* average, float* nextAverage, int64_t length);

}  // namespace lockstep
