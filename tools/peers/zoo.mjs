/** Prints the zoo as one line of JSON, with the shapes of every layer: what the peers build the same networks from. */
import { zooModels } from '../../packages/core/dist/index.js';
import { describe } from './describe.mjs';

console.log(JSON.stringify(zooModels.map(describe)));
