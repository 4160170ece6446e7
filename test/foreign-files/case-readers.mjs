/** Files that a folder of cases beside the repository has, where it is there. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { dist } from './common.mjs';

export function casesOf(folder) {
  if (!existsSync(folder)) return {};
  const listed = readdirSync(folder, { recursive: true }).filter((name) => statSync(path.join(folder, name)).isFile());
  const some = listed.filter((name) => statSync(path.join(folder, name)).size < 300_000);
  const safe = some.filter((name) => name.endsWith('.safetensors') || /\.(pth|pt|onnx)$/.test(name));
  const models = some.filter((name) => name.startsWith('models') && name.endsWith('.json'));
  const open = (load) => (name) => [
    `cases: ${name}`,
    {
      async open(at) {
        const read = await load(path.join(at, path.basename(name)));
        return {
          files: { [path.basename(name)]: readFileSync(path.join(folder, name)) },
          damaged: path.basename(name),
          read,
        };
      },
    },
  ];
  const loadWeights = async (file) => {
    const { checkWeightsFile } = await dist('cli/dist/settings/weights-file');
    return () => ignoreCoded(() => checkWeightsFile(file));
  };
  const loadModel = async (file) => {
    const { loadModelSpec } = await dist('core/dist/zoo/index');
    return () => ignoreCoded(() => loadModelSpec(file));
  };
  return Object.fromEntries([...safe.map(open(loadWeights)), ...models.map(open(loadModel))]);
}

/** Of cases some are refused also when they are whole. */
function ignoreCoded(read) {
  try {
    read();
  } catch (error) {
    if (error.name !== 'LockstepError') throw error;
  }
}
