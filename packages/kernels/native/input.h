// From uint8 images to the first tensor: gather by index, augment, normalize, put 16 samples side by side.
#pragma once
#include <vector>
#include "tensor.h"

namespace lockstep {

struct InputOp {
  Tensor out;
  std::vector<float> scale, shift;  // per channel: pixel v becomes v * scale + shift
  // Augmentation, in training only: degrees, whole pixels, fraction. All 0: none.
  float rotation, zoom;
  int move;
  float crop, cropProbability;  // what an image is magnified by, 1: not at all; how often
  uint8_t* bordered;           // scratch: 16 images with a border, where it needs pixels between pixels
};

// Bytes of `bordered`
int64_t inputScratchBytes(int channels, int height, int width);
void runInput(const InputOp& op, const Context& context, int shard);

}  // namespace lockstep
