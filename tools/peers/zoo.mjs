/** Prints the zoo as one line of JSON, with the shapes of every layer: what the peers build the same networks from. */
import { describeNetwork } from '../../packages/cli/dist/lab/speedrun/torch-sprint.js';
import { zooModels } from '../../packages/core/dist/zoo/index.js';

console.log(JSON.stringify(zooModels.map(({ model }) => describeNetwork(model))));
