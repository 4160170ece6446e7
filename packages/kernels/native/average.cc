#include "average.h"

namespace lockstep {

double sumSquares(const float* gradient, float samples, int length) {
  constexpr int LANES = 8;
  double lanes[LANES] = {};
  int i = 0;
  for (; i + LANES <= length; i += LANES) {
    for (int lane = 0; lane < LANES; lane++) {
      const double g = gradient[i + lane] / samples;
      lanes[lane] += g * g;
    }
  }
  for (int lane = 0; i < length; i++, lane++) {
    const double g = gradient[i] / samples;
    lanes[lane] += g * g;
  }
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

void runAverage(float decay, float rest, const float* state, const float* average, float* nextAverage, int64_t length) {
  for (int64_t i = 0; i < length; i++) {
    const float kept = decay * average[i], added = rest * state[i];
    nextAverage[i] = kept + added;
  }
}

}  // namespace lockstep
