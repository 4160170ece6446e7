import fc from 'fast-check';
import { gzipSync, strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

const bytes = (...values: readonly number[]): Uint8Array =>
  Uint8Array.from([...values, ...new Array<number>(40).fill(7)]);
const ascii = (text: string): Uint8Array => strToU8(text, true);
const zip = (...names: readonly string[]): Uint8Array =>
  zipSync(Object.fromEntries(names.map((name) => [name, ascii(name)])), { level: 0 });

describe('cases: data 33: a file that is no safetensors', () => {
  it.each<[string, string, Uint8Array, string, string]>([
    [
      'w.pth',
      'torch.save',
      zip('w/data.pkl', 'w/data/0'),
      'a file of torch.save',
      'weights_only=True); s = next((s[k] for k in ',
    ],
    ['w.pt', 'torch.save before 1.6', bytes(0x80, 2, 0x8a, 10), 'a file of torch.save', ' w.pt w.safetensors.'],
    [
      'm.onnx',
      'torch.onnx',
      Uint8Array.from([8, 8, 0x12, 7, ...ascii('pytorch')]),
      'an ONNX model',
      'safetensors.numpy as t; t.save_file(',
    ],
    [
      'm.keras',
      'Keras 3',
      zip('metadata.json', 'config.json', 'model.weights.h5'),
      'a .keras file',
      'm.keras m.h5, then tensorflowjs_converter --input_format=keras m.h5 m-tfjs, and give --weights m-tfjs/model.json.',
    ],
    [
      'm.h5',
      'HDF5',
      bytes(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10),
      "an HDF5 file, such as Keras's .h5",
      'tensorflowjs_converter --input_format=keras m.h5 m-tfjs',
    ],
    [
      'w.safetensors',
      'Git LFS',
      ascii('version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n'),
      'a pointer of Git LFS, not the file itself',
      'git lfs pull --include=w.safetensors.',
    ],
    [
      'w.safetensors',
      'an error page',
      ascii('\n<!DOCTYPE html><html>'),
      'a web page',
      'by a link with /resolve/, not /blob/',
    ],
    ['w.zip', 'zip', zip('weights.safetensors'), 'a zip archive', 'Unpack it: unzip w.zip.'],
    ['w.npz', 'numpy.savez', zip('conv1.weight.npy'), 'a file of NumPy', 'w.npz w.safetensors.'],
    ['w.safetensors.gz', 'gzip', gzipSync(ascii('x')), 'packed by gzip', 'gunzip w.safetensors.gz.'],
    [
      'm.index.json',
      'shards',
      ascii('{"metadata": {}, "weight_map": {"a": "b"}}'),
      'the list of a model in several files',
      'save_file',
    ],
    [
      'm.tflite',
      'TensorFlow Lite',
      Uint8Array.from([28, 0, 0, 0, ...ascii('TFL3')]),
      'a TensorFlow Lite model',
      'made from',
    ],
    [
      "it's.pt",
      'a name with a quote',
      bytes(0x80, 2),
      'a file of torch.save',
      String.raw`'it'\''s.pt' 'it'\''s.safetensors'.`,
    ],
  ])('%s of %s is told by its first bytes, with the line that converts', (path, _, file, what, line) => {
    const read = () => decodeSafetensors(file, path);
    expect(read).toThrow(`LOCKSTEP_WEIGHTS_FORMAT: ${path} is ${what}. `);
    expect(read).toThrow(line);
  });

  it('keeps its own words where the bytes say nothing', () => {
    expect(() => decodeSafetensors(bytes(0xff, 0xff, 0xff), 'w.bin')).toThrow(
      'w.bin is not a safetensors file: its header claims',
    );
  });

  it('never takes whole safetensors for another form', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.string({ maxLength: 700 }), (values, note) => {
        const tensor = { name: 'a', dtype: 'U8', shape: [values], bytes: new Uint8Array(values) };
        const file = Buffer.concat(encodeSafetensors({ tensors: [tensor], metadata: { note } }));
        expect(decodeSafetensors(file, 'w').tensors).toHaveLength(1);
      }),
    );
  });
});
