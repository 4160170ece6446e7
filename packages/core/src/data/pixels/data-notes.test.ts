import { describe, expect, it } from 'vitest';
import { findZooModel } from '../../zoo/zoo.js';
import { allocateSplit, createDataset } from '../dataset/dataset.js';
import { assumeData, DATA_KEY, describeData, parseDataNotes } from './data-notes.js';

const { model } = findZooModel('lenet5');
const train = allocateSplit(4, 16);
train.images.fill(255);
const shape = { channels: 1, height: 4, width: 4, mean: [0.5], std: [0.25] };
const splits = { train, validation: allocateSplit(0, 0), test: train };
const dataset = createDataset({
  name: 'x',
  source: 'x',
  classes: 2,
  classNames: ['a', 'b'],
  heldOut: 4,
  ...shape,
  ...splits,
});

describe('data notes', () => {
  it('keep normalization, class names, ground and what was held out, through a file', () => {
    const notes = describeData(dataset);
    expect(notes).toEqual({
      mean: [0.5],
      std: [0.25],
      classNames: ['a', 'b'],
      border: 1,
      heldOut: 4,
      name: dataset.name,
    });
    const named = { ...notes, classNames: ['a', 'b', '2', '3', '4', '5', '6', '7', '8', '9'] };
    expect(parseDataNotes(JSON.stringify(notes), model, 'w')).toEqual(named);
  });

  it('are undefined where there are none', () => {
    expect(parseDataNotes(undefined, model, 'w')).toBeUndefined();
  });

  it('assume MNIST of weights without them', () => {
    expect(assumeData(model)).toMatchObject({ mean: [0.1307], std: [0.3081], border: 0, ink: 20 / 28 });
  });

  it.each(['{', '{}', JSON.stringify({ ...describeData(dataset), mean: [0.1, 0.2] })])(
    'are refused when damaged: %s',
    (text) => {
      expect(() => parseDataNotes(text, model, 'w.safetensors')).toThrow(
        `LOCKSTEP_WEIGHTS_DATA: w.safetensors: ${DATA_KEY} does not describe data for 1 channel and 10 classes. Save the weights again with lockstep.`,
      );
    },
  );
});
