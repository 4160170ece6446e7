/** Fields that several commands share. */
import { workersSchema } from '@lockstep/core/seams';
import { checkBy } from '@lockstep/core/spec';
import { fieldsIn } from './field.js';

export const DEFAULT_MODEL = 'tiny6k';
export const DEFAULT_SEED = 1;

export const workersField = fieldsIn('Run').number(
  '--workers <n>',
  'workers',
  'threads that compute; any number gives the same result',
  { defaultText: "this machine's cores", check: checkBy(workersSchema) },
);

export const dataField = fieldsIn('Data').text(
  '--data <path>',
  'data',
  'folder of IDX files, folder with a folder of images per class, .csv or .npz',
  { defaultText: 'the cache, else downloaded, else the embedded sample' },
);

export const jsonField = fieldsIn('Output').toggle(
  '--json',
  'json',
  'one JSON object a line on stdout, all else on stderr',
);
