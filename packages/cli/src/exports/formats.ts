/** The formats of `lockstep export`, in the order of its help. */
import type { ExportFormat } from './export-format.js';
import { htmlFormat } from './html.js';
import { onnxFormat } from './onnx.js';
import { tfjsFormat } from './tfjs.js';

export const exportFormats: readonly ExportFormat[] = [onnxFormat, htmlFormat, tfjsFormat];
