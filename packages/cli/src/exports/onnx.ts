/** `--format onnx`. */
import type { ExportFormat } from './export-format.js';
import { writeExport } from './output.js';

export const onnxFormat: ExportFormat = {
  name: 'onnx',
  description: 'ONNX, opset 13, any batch size; pixels 0 to 255 in, logits and probabilities out',
  suffix: '.onnx',
  async write({ model, state, notes }, path) {
    const { exportOnnx } = await import('@lockstep/core/exports');
    const bytes = exportOnnx(model, state, notes);
    writeExport(path, bytes);
    const { channels, height, width } = model.input;
    return [
      `input "pixels": float32 [batch, ${channels}, ${height}, ${width}], 0 to 255; outputs "logits" and "probabilities"`,
    ];
  },
};
