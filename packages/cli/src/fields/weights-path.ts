/** Under which names weights are written, by every flag and by the library. */
import { statSync } from 'node:fs';
import { isStdout } from '@lockstep/core/files';
import { type Check, isText } from './field.js';

/** Forms of other programs: a file under such a name would not be what it says. */
const OTHER_FORMS = /\.(onnx|pth?|h5|hdf5|keras|tflite|pb|ckpt|np[yz]|pkl|json|html)$/i;

export const isWeightsPath: Check = (value) => {
  if (typeof value !== 'string' || !OTHER_FORMS.test(value)) return isText(value);
  return 'weights are saved as .safetensors, which PyTorch loads; for ONNX, TensorFlow.js or a page, `lockstep export` makes them from that file';
};

/** What a person is told of a file whose name does not say that it holds weights; a device or a pipe has no such name. */
export function noteWeightsName(path: string): string | undefined {
  if (/\.safetensors$/i.test(path) || isStdout(path)) return undefined;
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isFile() === false) return undefined;
  return `${path} is written as a .safetensors file, whatever its name says`;
}
