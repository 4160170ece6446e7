/** Files that are taken for safetensors and are not: what they are, told by their first bytes, and how to convert them. */

/** A form of file. */
interface Form {
  /** `a file of PyTorch`. */
  readonly what: string;
  /** What to do, as a sentence without its full stop. */
  convert(path: string): string;
}

const TORCH: Form = {
  what: 'a file of torch.save',
  convert: (path) =>
    `Convert it: python -c "import sys, torch, safetensors.torch as t; s = torch.load(sys.argv[1], map_location='cpu', weights_only=True); s = next((s[k] for k in ('state_dict', 'model_state_dict', 'model') if k in s), s); t.save_file({k: v.contiguous() for k, v in s.items()}, sys.argv[2])" ${quote(path)} ${quote(renamed(path, '.safetensors'))}`,
};

const ONNX: Form = {
  what: 'an ONNX model',
  convert: (path) =>
    `Convert its weights: python -c "import sys, onnx, onnx.numpy_helper as h, safetensors.numpy as t; t.save_file({i.name: h.to_array(i).copy() for i in onnx.load(sys.argv[1]).graph.initializer}, sys.argv[2])" ${quote(path)} ${quote(renamed(path, '.safetensors'))}`,
};

const HDF5: Form = {
  what: "an HDF5 file, such as Keras's .h5",
  convert: (path) => convertKeras(path),
};

const KERAS: Form = {
  what: 'a .keras file',
  convert: (path) =>
    `Convert it: python -c "import sys, keras; keras.saving.load_model(sys.argv[1]).save(sys.argv[2])" ${quote(path)} ${quote(renamed(path, '.h5'))}, then ${convertKeras(renamed(path, '.h5')).replace('Convert it: ', '')}`,
};

function convertKeras(path: string): string {
  const folder = renamed(path, '-tfjs');
  return `Convert it: tensorflowjs_converter --input_format=keras ${quote(path)} ${quote(folder)}, and give --weights ${quote(`${folder}/model.json`)}`;
}

const saying = (what: string, text: (path: string) => string): Form => ({ what, convert: text });

const LFS = saying(
  'a pointer of Git LFS, not the file itself',
  (path) => `Fetch it, in its repository: git lfs pull --include=${quote(path)}`,
);
const PAGE = saying(
  'a web page',
  () =>
    'Download the file itself: from Hugging Face by a link with /resolve/, not /blob/; where one must sign in, with a token',
);
const GZIP = saying('packed by gzip', (path) => `Unpack it: gunzip ${quote(path)}`);
const NUMPY = saying(
  'a file of NumPy',
  (path) =>
    `Convert it: python -c "import sys, numpy, safetensors.numpy as t; t.save_file(dict(numpy.load(sys.argv[1])), sys.argv[2])" ${quote(path)} ${quote(renamed(path, '.safetensors'))}`,
);
const INDEX = saying(
  'the list of a model in several files',
  () => 'Join these: load each with safetensors.torch.load_file, and save all tensors with save_file',
);
const TFLITE = saying('a TensorFlow Lite model', () => 'Give the model that it was made from');
const GGUF = saying('a GGUF file', () => 'Give the model that it was made from');
const ZIP = saying('a zip archive', (path) => `Unpack it: unzip ${quote(path)}`);

/** Of a zip archive's directory, which is at its end. */
const DIRECTORY_BYTES = 1 << 16;

/**
 * What a file is that is no safetensors, and what to do; undefined where its first bytes say nothing.
 *
 * @returns `is a file of torch.save. Convert it: python -c ...`
 */
export function describeForeign(file: Uint8Array, path: string): string | undefined {
  const form = findForm(file);
  return form && `is ${form.what}. ${form.convert(path)}.`;
}

function findForm(file: Uint8Array): Form | undefined {
  const starts = (...bytes: readonly number[]): boolean => bytes.every((byte, index) => file[index] === byte);
  const text = Buffer.from(file.subarray(0, 512)).toString('latin1');
  if (text.startsWith('PK\x03\x04')) return findZipForm(file);
  // torch.save of before 1.6 writes pickles, of protocol 2
  if (starts(0x80, 0x02)) return TORCH;
  if (text.startsWith('\x89HDF\r\n\x1a\n')) return HDF5;
  if (text.startsWith('version https://git-lfs')) return LFS;
  if (/^\s*<(!doctype html|html|head|\?xml)/i.test(text.replace(/^\xef\xbb\xbf/, ''))) return PAGE;
  if (starts(0x1f, 0x8b)) return GZIP;
  if (text.startsWith('\x93NUMPY')) return NUMPY;
  if (text.slice(4, 8) === 'TFL3') return TFLITE;
  if (text.startsWith('GGUF')) return GGUF;
  if (/^\s*\{/.test(text) && Buffer.from(file).includes('"weight_map"')) return INDEX;
  // protobuf: ir_version, then the name of the producer or another field of a ModelProto
  return file[0] === 0x08 && (file[1] ?? 0) < 0x20 && [0x12, 0x1a, 0x22, 0x32, 0x3a, 0x42].includes(file[2] ?? 0)
    ? ONNX
    : undefined;
}

function findZipForm(file: Uint8Array): Form {
  const names = Buffer.from(file.subarray(Math.max(0, file.length - DIRECTORY_BYTES))).toString('latin1');
  if (names.includes('data.pkl')) return TORCH;
  if (names.includes('model.weights.h5')) return KERAS;
  return names.includes('.npy') ? NUMPY : ZIP;
}

const renamed = (path: string, ending: string): string => path.replace(/(\.[A-Za-z0-9]{1,6})?$/, ending);

/** As a shell takes it for one word. */
const quote = (path: string): string =>
  /^[\w./+:@%-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
