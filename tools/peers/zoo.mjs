/** Prints the zoo as one line of JSON, with the shapes of every layer: what the peers build the same networks from. */
import { inferLayers, zooModels } from '../../packages/core/dist/index.js';

const describe = ({ model }) => ({
  name: model.name,
  input: model.input,
  layers: inferLayers(model).map(({ spec, input, output, isFlat }) => ({ ...spec, input, output, isFlat })),
});

console.log(JSON.stringify(zooModels.map(describe)));
