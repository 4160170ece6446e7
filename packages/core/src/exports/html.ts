/**
 * A trained network as one HTML page on which a visitor draws and sees the drawing recognized: the files of
 * packages/core/page with model and weights put in. The page loads nothing and sends nothing.
 */
import { readFileSync } from 'node:fs';
import type { DataNotes } from '../data/pixels/data-notes.js';
import { FULL_WHITE, normalizationFor } from '../data/pixels/pixels.js';
import { LockstepError } from '../errors/errors.js';
import { encodeFloats } from '../formats/weight-bytes.js';
import { inferLayers, type Layer, parameterCount } from '../model/layers.js';
import type { ModelState } from '../run/contribution.js';
import type { ModelSpec } from '../spec/model-spec.js';
import { countOf, formatCountOf } from '../text/count-text.js';
import { escapeHtml } from '../text/escape-html.js';

const PAGE = new URL('../../page/', import.meta.url);
/** In the order in which they use each other. */
const SCRIPTS = ['network.mjs', 'drawing.mjs', 'main.mjs'];

/**
 * The text of the page.
 *
 * @throws LockstepError LOCKSTEP_EXPORT_HTML for a model that does not read grey images
 */
export function exportHtml(model: ModelSpec, state: ModelState, notes: DataNotes): string {
  const { channels } = model.input;
  if (channels !== 1) {
    throw new LockstepError(
      'LOCKSTEP_EXPORT_HTML',
      `${model.name} reads images of ${countOf(channels, 'channel')}; on the page one draws in one. Export it as onnx instead.`,
    );
  }
  const layers = inferLayers(model);
  const parameters = parameterCount(layers);
  const parts: Readonly<Record<string, string>> = {
    title: escapeHtml(`Draw for ${model.name}`),
    heading: describeTask(notes.classNames),
    about: escapeHtml(
      `${model.name}, ${formatCountOf(parameters, 'parameter')}, trained with Lockstep. The network is part of this page; what you draw stays on your device.`,
    ),
    style: readPage('style.css'),
    model: JSON.stringify(describePageModel(model, notes)).replaceAll('<', '\\u003c'),
    weights: Buffer.concat(collectWeights(layers, state).map(encodeFloats)).toString('base64'),
    script: SCRIPTS.map((name) => inlineModule(readPage(name))).join('\n'),
  };
  return readPage('index.html').replace(/\{\{(\w+)\}\}/g, (_, name: string) => parts[name] ?? '');
}

/** What the page's interpreter (page/network.mjs) reads. */
export function describePageModel(model: ModelSpec, notes: DataNotes) {
  const { classNames, border, ink = null } = notes;
  const { mean, std } = normalizationFor(notes, FULL_WHITE);
  const layers = model.layers.map(({ functional: _, name: __, ...layer }) => layer);
  return { name: model.name, input: model.input, layers, mean, std, classNames, ink, isLight: border > 0.5 };
}

/** Learned values in the order in which the interpreter takes them: each layer's parameters, then its statistics. */
export function collectWeights(layers: readonly Layer[], state: ModelState): Float32Array[] {
  let [parameter, buffer] = [0, 0];
  return layers.flatMap((layer) => [
    ...layer.parameters.map(() => state.parameters[parameter++] as Float32Array),
    ...layer.buffers.map(() => state.buffers[buffer++] as Float32Array),
  ]);
}

const describeTask = (classNames: readonly string[]): string =>
  classNames.every((name, index) => name === String(index))
    ? `Draw a digit from 0 to ${classNames.length - 1}`
    : `Draw one of ${classNames.length} things`;

const readPage = (name: string): string => readFileSync(new URL(name, PAGE), 'utf8').trimEnd();

/** A module's text for a script that holds all modules one after the other. */
const inlineModule = (text: string): string =>
  text
    .replace(/^import .*;$/gm, '')
    .replace(/^export /gm, '')
    .trim();
