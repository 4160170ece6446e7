/**
 * A trained network, read layer by layer. Images are [channels][height][width], as are the values between the layers;
 * everything is float32. Written to be read: the training itself uses other code.
 */

/** What a layer gives: values [channels][height][width]. */
function allocate(channels, height, width) {
  return { channels, height, width, values: new Float32Array(channels * height * width) };
}

/** nn.Conv2d: every output channel adds up its group's input channels, each shifted by (row, column) of the kernel. */
function convolve(input, layer, take) {
  const { outChannels, kernel, stride, padding, groups, bias } = layer;
  const inChannels = input.channels / groups;
  const weight = take(outChannels * inChannels * kernel * kernel);
  const start = bias ? take(outChannels) : new Float32Array(outChannels);
  const height = Math.floor((input.height + 2 * padding - kernel) / stride) + 1;
  const width = Math.floor((input.width + 2 * padding - kernel) / stride) + 1;
  const output = allocate(outChannels, height, width);
  for (let o = 0; o < outChannels; o++) {
    const plane = output.values.subarray(o * height * width, (o + 1) * height * width).fill(start[o]);
    const firstIn = Math.floor(o / (outChannels / groups)) * inChannels;
    for (let i = 0; i < inChannels; i++) {
      const from = input.values.subarray((firstIn + i) * input.height * input.width);
      for (let row = 0; row < kernel; row++) {
        for (let column = 0; column < kernel; column++) {
          const w = weight[((o * inChannels + i) * kernel + row) * kernel + column];
          addShifted(plane, height, width, from, input.height, input.width, w, row - padding, column - padding, stride);
        }
      }
    }
  }
  return output;
}

/** plane[y][x] += w * from[y * stride + dy][x * stride + dx], where that lies inside `from`. */
function addShifted(plane, height, width, from, fromHeight, fromWidth, w, dy, dx, stride) {
  const firstX = Math.max(0, Math.ceil(-dx / stride));
  const endX = Math.min(width, Math.floor((fromWidth - 1 - dx) / stride) + 1);
  for (let y = 0; y < height; y++) {
    const fromY = y * stride + dy;
    if (fromY < 0 || fromY >= fromHeight) continue;
    const at = fromY * fromWidth + dx;
    for (let x = firstX; x < endX; x++) plane[y * width + x] += w * from[at + x * stride];
  }
}

/** nn.BatchNorm2d in evaluation: (x - mean) / sqrt(variance + 1e-5) * gamma + beta. */
function normalize(input, take) {
  const { channels, height, width } = input;
  const [gamma, beta, mean, variance] = [take(channels), take(channels), take(channels), take(channels)];
  const output = allocate(channels, height, width);
  const plane = height * width;
  for (let c = 0; c < channels; c++) {
    const scale = gamma[c] / Math.sqrt(variance[c] + 1e-5);
    const shift = beta[c] - mean[c] * scale;
    for (let i = c * plane; i < (c + 1) * plane; i++) output.values[i] = input.values[i] * scale + shift;
  }
  return output;
}

/** Slides a window over each channel; `start` and `combine` say what becomes of its values. */
function pool(input, kernelHeight, kernelWidth, stride, start, combine, finish) {
  const height = Math.floor((input.height - kernelHeight) / stride) + 1;
  const width = Math.floor((input.width - kernelWidth) / stride) + 1;
  const output = allocate(input.channels, height, width);
  for (let c = 0; c < input.channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let value = start;
        for (let row = 0; row < kernelHeight; row++) {
          const at = (c * input.height + y * stride + row) * input.width + x * stride;
          for (let column = 0; column < kernelWidth; column++) value = combine(value, input.values[at + column]);
        }
        output.values[(c * height + y) * width + x] = finish(value, kernelHeight * kernelWidth);
      }
    }
  }
  return output;
}

const poolLargest = (input, kernel, stride) =>
  pool(
    input,
    kernel,
    kernel,
    stride,
    Number.NEGATIVE_INFINITY,
    (a, b) => (b > a ? b : a),
    (value) => value,
  );

const poolMean = (input, kernelHeight, kernelWidth, stride) =>
  pool(
    input,
    kernelHeight,
    kernelWidth,
    stride,
    0,
    (a, b) => a + b,
    (sum, count) => sum / count,
  );

/** nn.Linear over all values of its input. */
function multiply(input, { outFeatures, bias }, take) {
  const inFeatures = input.values.length;
  const weight = take(outFeatures * inFeatures);
  const start = bias ? take(outFeatures) : new Float32Array(outFeatures);
  const output = allocate(outFeatures, 1, 1);
  for (let o = 0; o < outFeatures; o++) {
    let sum = start[o];
    for (let i = 0; i < inFeatures; i++) sum += weight[o * inFeatures + i] * input.values[i];
    output.values[o] = sum;
  }
  return output;
}

function applyLayer(input, layer, take) {
  switch (layer.type) {
    case 'conv':
      return convolve(input, layer, take);
    case 'batchNorm':
      return normalize(input, take);
    case 'relu':
      return { ...input, values: input.values.map((value) => (value > 0 ? value : 0)) };
    case 'maxPool':
      return poolLargest(input, layer.kernel, layer.stride ?? layer.kernel);
    case 'avgPool':
      return poolMean(input, layer.kernel, layer.kernel, layer.stride ?? layer.kernel);
    case 'globalAvgPool':
      return poolMean(input, input.height, input.width, 1);
    case 'flatten':
      return { ...input, channels: input.values.length, height: 1, width: 1 };
    case 'linear':
      return multiply(input, layer, take);
    default:
      // dropout does nothing once trained; log-softmax is left to `softmax`
      return input;
  }
}

/**
 * The network's logits, one per class.
 *
 * @param model { input, layers, mean, std }
 * @param weights the layers' learned values, one after the other
 * @param pixels 0 to 255, [channels][height][width]
 */
export function computeLogits(model, weights, pixels) {
  const { channels, height, width } = model.input;
  let value = allocate(channels, height, width);
  const plane = height * width;
  for (let i = 0; i < value.values.length; i++) {
    const c = Math.floor(i / plane);
    value.values[i] = (pixels[i] / 255 - model.mean[c]) / model.std[c];
  }
  let used = 0;
  const take = (count) => {
    used += count;
    return weights.subarray(used - count, used);
  };
  for (const layer of model.layers) value = applyLayer(value, layer, take);
  return value.values;
}

/** Probabilities, which add up to 1. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}
