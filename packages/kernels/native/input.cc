#include "input.h"

#include "elementary.h"
#include "philox.h"

namespace lockstep {
namespace {

// What augmentation does to one sample
struct Move {
  float cosine, sine;  // of the angle, divided by the zoom
  int x, y;            // whole pixels
};

INLINE double uniform(uint32_t word) { return (word >> 8) * (1.0 / 16777216); }

// By how much the crop magnifies an image: a function of (seed, epoch, image), word 0 of index 1
double drawCrop(const InputOp& op, const Context& context, int32_t image) {
  uint32_t words[4][BLOCK];
  philoxLanes({context.seedLow, context.seedHigh}, 1, (uint32_t)image, context.epoch, AUGMENTATION, words);
  return uniform(words[0][0]) < op.cropProbability ? op.crop : 1;
}

// A function of (seed, epoch, image): words of Philox(seed, AUGMENTATION, stream epoch, lane image, index 0)
Move drawMove(const InputOp& op, const Context& context, int32_t image) {
  uint32_t words[4][BLOCK];
  philoxLanes({context.seedLow, context.seedHigh}, 0, (uint32_t)image, context.epoch, AUGMENTATION, words);
  double sine, cosine;
  sineCosine((2 * uniform(words[0][0]) - 1) * op.rotation, sine, cosine);
  double zoom = 1 + (2 * uniform(words[1][0]) - 1) * op.zoom;
  if (op.cropProbability > 0) zoom *= drawCrop(op, context, image);
  const int range = 2 * op.move + 1;
  return {(float)(cosine / zoom), (float)(sine / zoom), (int)(uniform(words[2][0]) * range) - op.move,
          (int)(uniform(words[3][0]) * range) - op.move};
}

// Whole-pixel moves only: copy rows, zeros from outside.
void placeShifted(const InputOp& op, const uint8_t* image, int dx, int dy, int lane, float* out) {
  const Tensor& t = op.out;
  for (int c = 0; c < t.channels; c++) {
    for (int y = 0; y < t.height; y++) {
      const int sy = y - dy;
      float* row = out + c * t.channelStride + y * t.rowStride + lane;
      const uint8_t* from = image + ((int64_t)c * t.height + sy) * t.width;
      for (int x = 0; x < t.width; x++) {
        const int sx = x - dx;
        const bool inside = sy >= 0 && sy < t.height && sx >= 0 && sx < t.width;
        row[x * BLOCK] = inside ? (float)from[sx] : 0.0f;
      }
    }
  }
}

void normalize(const InputOp& op, float* out) {
  const Tensor& t = op.out;
  for (int c = 0; c < t.channels; c++) {
    const R scale = splat(op.scale[c]), shift = splat(op.shift[c]);
    for (int y = 0; y < t.height; y++) {
      float* row = out + c * t.channelStride + y * t.rowStride;
      for (int i = 0; i < t.width * BLOCK; i += LR) store(row + i, fma(load(row + i), scale, shift));
    }
  }
}

constexpr int BORDER = 1, BORDER_AFTER = 2;  // left/top, right/bottom: a clamped position reads zeros

// The four pixels around each lane's position (>= -1), and in place of the position its fraction.
INLINE void readNeighbours(const uint8_t* images, int plane, int pitch, float* sx, float* sy, float* q00, float* q01, float* q10,
                           float* q11) {
#if defined(LOCKSTEP_ISA_AVX512)
  const R x = load(sx), y = load(sy), one = splat(1);
  // floor + BORDER, by cutting off a position moved to >= 0
  const __m512i ix = _mm512_cvttps_epi32(add(x, one)), iy = _mm512_cvttps_epi32(add(y, one));
  store(sx, sub(x, sub(_mm512_cvtepi32_ps(ix), one)));
  store(sy, sub(y, sub(_mm512_cvtepi32_ps(iy), one)));
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i at = _mm512_add_epi32(_mm512_mullo_epi32(lane, _mm512_set1_epi32(plane)),
                                      _mm512_add_epi32(_mm512_mullo_epi32(iy, _mm512_set1_epi32(pitch)), ix));
  const __m512i upper = _mm512_i32gather_epi32(at, images, 1), lower = _mm512_i32gather_epi32(at, images + pitch, 1);
  const __m512i byte = _mm512_set1_epi32(0xff);
  store(q00, _mm512_cvtepi32_ps(_mm512_and_si512(upper, byte)));
  store(q01, _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(upper, 8), byte)));
  store(q10, _mm512_cvtepi32_ps(_mm512_and_si512(lower, byte)));
  store(q11, _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(lower, 8), byte)));
#else
  for (int i = 0; i < BLOCK; i++) {
    const int ix = (int)(sx[i] + 1), iy = (int)(sy[i] + 1);  // floor + BORDER, as positions are >= -1
    const uint8_t* at = images + (int64_t)i * plane + iy * pitch + ix;
    q00[i] = at[0], q01[i] = at[1], q10[i] = at[pitch], q11[i] = at[pitch + 1];
    sx[i] -= (float)(ix - BORDER), sy[i] -= (float)(iy - BORDER);
  }
#endif
}

// Bilinear under rotation, zoom and shift: output (y, x) takes the input at the position turned back about the centre.
void placeTurned(const InputOp& op, const Context& context, const int32_t* images, const Move* moves, int lanes, float* out) {
  const Tensor& t = op.out;
  const int w = t.width, h = t.height, pitch = w + BORDER + BORDER_AFTER, plane = pitch * (h + BORDER + BORDER_AFTER);
  const float cy = (h - 1) * 0.5f, cx = (w - 1) * 0.5f;
  alignas(64) float cosine[BLOCK] = {}, sine[BLOCK] = {}, moveX[BLOCK] = {}, moveY[BLOCK] = {};
  for (int i = 0; i < lanes; i++) {
    cosine[i] = moves[i].cosine, sine[i] = moves[i].sine;
    moveX[i] = cx + (float)moves[i].x, moveY[i] = cy + (float)moves[i].y;
  }
  for (int c = 0; c < t.channels; c++) {
    for (int i = 0; i < lanes; i++) {
      const uint8_t* from = context.images + ((int64_t)images[i] * t.channels + c) * h * w;
      uint8_t* to = op.bordered + (int64_t)i * plane + BORDER * pitch + BORDER;
      for (int y = 0; y < h; y++) memcpy(to + y * pitch, from + y * w, w);
    }
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++) {
        alignas(64) float sx[BLOCK], sy[BLOCK], q00[BLOCK], q01[BLOCK], q10[BLOCK], q11[BLOCK];
        for (int p = 0; p < BLOCK; p += LR) {
          const R dx = sub(splat((float)x), load(moveX + p)), dy = sub(splat((float)y), load(moveY + p));
          const R ca = load(cosine + p), sa = load(sine + p);
          const R px = add(fma(ca, dx, mul(sa, dy)), splat(cx));
          const R py = add(fma(ca, dy, mul(sub(zero(), sa), dx)), splat(cy));
          const R left = splat(-1), right = splat((float)w), bottom = splat((float)h);
          store(sx + p, select(greater(px, right), right, select(greater(left, px), left, px)));
          store(sy + p, select(greater(py, bottom), bottom, select(greater(left, py), left, py)));
        }
        readNeighbours(op.bordered, plane, pitch, sx, sy, q00, q01, q10, q11);
        float* to = out + c * t.channelStride + y * t.rowStride + x * BLOCK;
        for (int p = 0; p < BLOCK; p += LR) {
          const R fx = load(sx + p), fy = load(sy + p);
          const R top = fma(fx, sub(load(q01 + p), load(q00 + p)), load(q00 + p));
          const R low = fma(fx, sub(load(q11 + p), load(q10 + p)), load(q10 + p));
          store(to + p, fma(fy, sub(low, top), top));
        }
      }
    }
  }
}

}  // namespace

int64_t inputScratchBytes(int channels, int height, int width) {
  (void)channels;
  return (int64_t)BLOCK * (height + BORDER + BORDER_AFTER) * (width + BORDER + BORDER_AFTER);
}

void runInput(const InputOp& op, const Context& context, int shard) {
  const Tensor& t = op.out;
  const int64_t imageBytes = (int64_t)t.channels * t.height * t.width;
  for (int b = 0; b < context.blocksPerShard; b++) {
    const int first = context.firstSample(shard, b), lanes = context.validLanes(shard, b);
    const bool turns = context.train && (op.rotation > 0 || op.zoom > 0 || op.cropProbability > 0);
    const bool augments = turns || (context.train && op.move > 0);
    float* out = t.block(shard, b);
    int32_t images[BLOCK];
    Move moves[BLOCK];
    for (int i = 0; i < lanes; i++) {
      images[i] = context.imageOf(first + i);
      moves[i] = augments ? drawMove(op, context, images[i]) : Move{1, 0, 0, 0};
    }
    if (turns) {
      placeTurned(op, context, images, moves, lanes, out);
    } else {
      for (int i = 0; i < lanes; i++) placeShifted(op, context.images + images[i] * imageBytes, moves[i].x, moves[i].y, i, out);
    }
    normalize(op, out);
    if (lanes < BLOCK) {  // empty lanes hold zeros, so that what they compute stays finite
      for (int c = 0; c < t.channels; c++) {
        for (int y = 0; y < t.height; y++) {
          for (int x = 0; x < t.width; x++) {
            for (int i = lanes; i < BLOCK; i++) out[c * t.channelStride + y * t.rowStride + x * BLOCK + i] = 0;
          }
        }
      }
    }
  }
}

}  // namespace lockstep
