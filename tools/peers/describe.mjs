/** A network of the zoo as the peers build it: its layers with the shapes that go in and come out. */
import { inferLayers } from '../../packages/core/dist/index.js';

export const describe = ({ model }) => ({
  name: model.name,
  input: model.input,
  layers: inferLayers(model).map(({ spec, input, output, isFlat }) => ({ ...spec, input, output, isFlat })),
});
