#include "dense.h"

#include <algorithm>

namespace lockstep {
namespace {

// ---- out[p][x] (+)= sum over k of weight(p, k) * in[x][k]: P rows and X blocks in registers ----

struct RowsArguments {
  const float* const* in;   // X blocks
  float* const* out;        // X blocks, at row p
  const float* weights;     // weight(p, k) at p * rowStep + k * sumStep
  int64_t rowStep, sumStep;
  int sums;                 // how many k
  const float* start;       // bias of each row, or null
  bool accumulates;         // starts from what is in out
};

template <int P, int X, bool UNIT>
void rowsTile(const RowsArguments& a) {
  const int64_t rowStep = UNIT ? 1 : a.rowStep;
  for (int h = 0; h < BLOCK; h += LR) {
    R acc[P][X];
    UNROLL for (int p = 0; p < P; p++) {
      UNROLL for (int x = 0; x < X; x++) {
        acc[p][x] = a.accumulates ? load(a.out[x] + p * BLOCK + h) : a.start ? splat(a.start[p]) : zero();
      }
    }
    const float* in[X];
    UNROLL for (int x = 0; x < X; x++) in[x] = a.in[x] + h;
    const float* w = a.weights;
    for (int k = 0; k < a.sums; k++, w += a.sumStep) {
      R v[X];
      UNROLL for (int x = 0; x < X; x++) {
        v[x] = load(in[x] + k * BLOCK);
        if constexpr (P > 1) KEEP(v[x]);
      }
      UNROLL for (int p = 0; p < P; p++) {
        R weight = splat(w[p * rowStep]);
        if constexpr (X > 1) KEEP(weight);
        UNROLL for (int x = 0; x < X; x++) acc[p][x] = fma(weight, v[x], acc[p][x]);
      }
    }
    UNROLL for (int p = 0; p < P; p++) UNROLL for (int x = 0; x < X; x++) store(a.out[x] + p * BLOCK + h, acc[p][x]);
  }
}

using RowsTile = void (*)(const RowsArguments&);
constexpr bool rowsFit(int p, int x) { return p * x + x + 1 <= REGISTERS; }

template <int P, int X>
RowsTile rowsTileFor(bool unit) {
  if constexpr (rowsFit(P, X)) {
    return unit ? rowsTile<P, X, true> : rowsTile<P, X, false>;
  } else {
    return nullptr;
  }
}

template <int X>
RowsTile rowsTileOf(int p, bool unit) {
  switch (p) {
    case 1: return rowsTileFor<1, X>(unit);
    case 2: return rowsTileFor<2, X>(unit);
    case 3: return rowsTileFor<3, X>(unit);
    case 4: return rowsTileFor<4, X>(unit);
    case 6: return rowsTileFor<6, X>(unit);
    case 8: return rowsTileFor<8, X>(unit);
    case 12: return rowsTileFor<12, X>(unit);
    default: return nullptr;
  }
}

RowsTile findRowsTile(int p, int x, bool unit) {
  switch (x) {
    case 1: return rowsTileOf<1>(p, unit);
    case 2: return rowsTileOf<2>(p, unit);
    case 3: return rowsTileOf<3>(p, unit);
    default: return rowsTileOf<4>(p, unit);
  }
}

constexpr int MAX_BLOCKS_OF_TILE = 4;
constexpr int ROW_TILES[] = {12, 8, 6, 4, 3, 2, 1};

int rowsOfTile(int blocks, int left) {
  for (int p : ROW_TILES) {
    if (p <= left && rowsFit(p, blocks)) return p;
  }
  return 1;
}

// How many terms of the sums at a time: inputs of all blocks stay in L2, and a strip of weights whose rows are terms
// (the input gradient) in L1.
constexpr int INPUTS_AT_ONCE = 512, OUTPUTS_AT_ONCE = 128;

struct Blocks {
  std::vector<const float*> in;
  std::vector<float*> out;
};

Blocks blocksOf(const Tensor& in, const Tensor& out, const Context& context, int firstShard, int shardCount) {
  Blocks blocks;
  for (int s = firstShard; s < firstShard + shardCount; s++) {
    for (int b = 0; b < context.blocksPerShard; b++) {
      blocks.in.push_back(in.block(s, b));
      blocks.out.push_back(out.block(s, b));
    }
  }
  return blocks;
}

void runRows(const Blocks& blocks, const float* weights, int rows, int64_t rowStep, int sums, int64_t sumStep,
             const float* bias, int sumsAtOnce) {
  const int count = (int)blocks.in.size();
  for (int k = 0; k < sums; k += sumsAtOnce) {
    const int here = std::min(sumsAtOnce, sums - k);
    const int widest = std::min(count, MAX_BLOCKS_OF_TILE);
    for (int p = 0, step; p < rows; p += step) {
      step = rowsOfTile(widest, rows - p);
      for (int x = 0; x < count; x += MAX_BLOCKS_OF_TILE) {
        const int wide = std::min(MAX_BLOCKS_OF_TILE, count - x);
        const float* in[MAX_BLOCKS_OF_TILE];
        float* out[MAX_BLOCKS_OF_TILE];
        for (int i = 0; i < wide; i++) in[i] = blocks.in[x + i] + (int64_t)k * BLOCK, out[i] = blocks.out[x + i] + (int64_t)p * BLOCK;
        findRowsTile(step, wide, rowStep == 1)({in, out, weights + p * rowStep + k * sumStep, rowStep, sumStep, here,
                                                bias ? bias + p : nullptr, k > 0});
      }
    }
  }
}

// ---- weight gradient: outer products of a shard's samples, summed over shards by the tree, in registers ----

// Few inputs wide, so that a wave's samples of them stay in L1 while the outputs pass.
constexpr int GRAD_ROWS = REGISTERS >= 32 ? 4 : 3;
constexpr int GRAD_REGISTERS = REGISTERS >= 32 ? 3 : 2;  // of inputs
constexpr int MAX_DEPTH = 17;

struct OuterArguments {
  const float* const* dOut;  // per block of the wave: output p's 16 samples at p * BLOCK
  const float* inputs;       // [shard][sample][pitch], at the tile's first input
  int64_t shardStride, pitch;
  int shards, blocksPerShard;
  float* out;                // dWeight(p, i) at p * rowStep + i
  int64_t rowStep;
  int width;                 // inputs of this tile that exist
};

// Outer products of one shard, summed over its samples
template <int P, int V>
INLINE void sumShard(const OuterArguments& a, int shard, R (&acc)[P][V]) {
  UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < V; v++) acc[p][v] = zero();
  const float* inputs = a.inputs + shard * a.shardStride;
  for (int b = 0; b < a.blocksPerShard; b++) {
    const float* d = a.dOut[shard * a.blocksPerShard + b];
    for (int sample = 0; sample < BLOCK; sample++, inputs += a.pitch) {
      R in[V];
      UNROLL for (int v = 0; v < V; v++) {
        in[v] = load(inputs + v * LR);
        if constexpr (P > 1) KEEP(in[v]);
      }
      UNROLL for (int p = 0; p < P; p++) {
        R grad = splat(d[p * BLOCK + sample]);
        if constexpr (V > 1) KEEP(grad);
        UNROLL for (int v = 0; v < V; v++) acc[p][v] = fma(grad, in[v], acc[p][v]);
      }
    }
  }
}

template <int P, int V>
INLINE void roundAll(R (&acc)[P][V]) {
  UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < V; v++) acc[p][v] = roundToBf16(acc[p][v]);
}

// acc = lower + acc, the addition of the tree
template <int P, int V, bool ROUNDS>
INLINE void addLower(const R (&lower)[P][V], R (&acc)[P][V]) {
  UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < V; v++) acc[p][v] = add(lower[p][v], acc[p][v]);
  if constexpr (ROUNDS) roundAll(acc);
}

template <int P, int V, bool ROUNDS>
void outerTile(const OuterArguments& a) {
  R stack[MAX_DEPTH][P][V];
  int depth = 0;
  for (int shard = 0; shard < a.shards; shard += 2) {
    R acc[P][V];
    if (a.shards == 1) {
      sumShard(a, shard, acc);
      if constexpr (ROUNDS) roundAll(acc);
    } else {  // two neighbours meet in registers
      R lower[P][V];
      sumShard(a, shard, lower);
      if constexpr (ROUNDS) roundAll(lower);
      sumShard(a, shard + 1, acc);
      if constexpr (ROUNDS) roundAll(acc);
      addLower<P, V, ROUNDS>(lower, acc);
    }
    // As many merges as the number of pairs so far has trailing zeros in binary: a carry in the canonical tree.
    for (int n = shard / 2 + 1; n % 2 == 0; n /= 2) addLower<P, V, ROUNDS>(stack[--depth], acc);
    UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < V; v++) stack[depth][p][v] = acc[p][v];
    depth++;
  }
  UNROLL for (int p = 0; p < P; p++) {
    float* to = a.out + p * a.rowStep;
    if (a.width == V * LR) {
      UNROLL for (int v = 0; v < V; v++) storeUnaligned(to + v * LR, stack[0][p][v]);
    } else {
      alignas(64) float row[V * LR];
      UNROLL for (int v = 0; v < V; v++) store(row + v * LR, stack[0][p][v]);
      memcpy(to, row, a.width * sizeof(float));
    }
  }
}

using OuterTile = void (*)(const OuterArguments&);

template <int P, bool ROUNDS>
OuterTile outerOf(int v) {
  switch (v) {
    case 1: return outerTile<P, 1, ROUNDS>;
    case 2: return outerTile<P, 2, ROUNDS>;
    default: return outerTile<P, GRAD_REGISTERS, ROUNDS>;
  }
}

template <bool ROUNDS>
OuterTile findOuter(int p, int v) {
  switch (p) {
    case 1: return outerOf<1, ROUNDS>(v);
    case 2: return outerOf<2, ROUNDS>(v);
    case 3: return outerOf<3, ROUNDS>(v);
    default: return outerOf<GRAD_ROWS, ROUNDS>(v);
  }
}

void transpose(const DenseOp& op, const Context& context, int shard) {
  const int features = op.in.channels;
  float* to = op.transposed + shard * op.transposedShardStride;
  for (int b = 0; b < context.blocksPerShard; b++) {
    const float* in = op.in.block(shard, b);
    float* rows = to + (int64_t)b * BLOCK * op.pitch;
    for (int i = 0; i < features; i++) {
      for (int sample = 0; sample < BLOCK; sample++) rows[(int64_t)sample * op.pitch + i] = in[(int64_t)i * BLOCK + sample];
    }
  }
}

}  // namespace

void addTree(float* rows, int count, int64_t stride, int length, const Rounding& rounding, int64_t offset) {
  for (int i = 0; i < count; i++) rounding.apply(rows + i * stride, offset, length);
  for (int size = 1; size < count; size *= 2) {
    for (int i = 0; i + size < count; i += 2 * size) {
      float *to = rows + i * stride, *from = rows + (i + size) * stride;
      for (int k = 0; k < length; k++) to[k] = to[k] + from[k];
      rounding.apply(to, offset, length);
    }
  }
}

void runDense(const DenseOp& op, const Context& context, int firstShard, int shardCount) {
  const int ins = op.in.channels;
  runRows(blocksOf(op.in, op.out, context, firstShard, shardCount), context.state + op.weight, op.out.channels, ins, ins, 1,
          op.bias < 0 ? nullptr : context.state + op.bias, INPUTS_AT_ONCE);
}

void runDenseInputGradient(const DenseOp& op, const Tensor& dOut, const Tensor& dIn, const Context& context,
                           int firstShard, int shardCount) {
  runRows(blocksOf(dOut, dIn, context, firstShard, shardCount), context.state + op.weight, op.in.channels, 1,
          op.out.channels, op.in.channels, nullptr, OUTPUTS_AT_ONCE);
}

void runDenseWeightGradient(const DenseOp& op, const Tensor& dOut, const Context& context, int firstShard,
                            int shardCount, const Rounding& rounding, float* contribution) {
  const int ins = op.in.channels, outs = op.out.channels, bps = context.blocksPerShard;
  for (int s = firstShard; s < firstShard + shardCount; s++) transpose(op, context, s);
  std::vector<const float*> blocks;
  for (int s = firstShard; s < firstShard + shardCount; s++) {
    for (int b = 0; b < bps; b++) blocks.push_back(dOut.block(s, b));
  }
  std::vector<const float*> at(blocks.size());
  const auto find = rounding.isNone() ? findOuter<false> : findOuter<true>;
  // inputs outside, so that a strip of all samples stays in L1 while the outputs pass
  for (int i = 0; i < ins; i += GRAD_REGISTERS * LR) {
    const int width = std::min(GRAD_REGISTERS * LR, ins - i);
    for (int p = 0; p < outs; p += GRAD_ROWS) {
      const int rows = std::min(GRAD_ROWS, outs - p);
      for (size_t k = 0; k < blocks.size(); k++) at[k] = blocks[k] + (int64_t)p * BLOCK;
      find(rows, (width + LR - 1) / LR)({at.data(), op.transposed + firstShard * op.transposedShardStride + i, op.transposedShardStride,
                                         op.pitch, shardCount, bps, contribution + op.weight + (int64_t)p * ins + i, ins, width});
    }
  }
  if (op.bias < 0) return;
  std::vector<float> sums((size_t)shardCount * outs);
  for (int s = 0; s < shardCount; s++) {
    for (int b = 0; b < bps; b++) {
      for (int p = 0; p < outs; p++) {
        const float sum = laneSum(blocks[s * bps + b] + (int64_t)p * BLOCK);
        float& to = sums[(size_t)s * outs + p];
        to = b == 0 ? sum : to + sum;
      }
    }
  }
  addTree(sums.data(), shardCount, outs, outs, rounding, op.bias);
  memcpy(contribution + op.bias, sums.data(), outs * sizeof(float));
}

}  // namespace lockstep
