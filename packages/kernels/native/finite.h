// Whether the numbers of another node may be used.
#pragma once
#include <stdint.h>

namespace lockstep {

// Index of the first float that is infinite or not a number; -1 if there is none. Any length and alignment.
int64_t findNotFinite(const float* values, int64_t length);

}  // namespace lockstep
