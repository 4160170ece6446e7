/** The kernels that this clone has compiled for its own machine, as builds of a package. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { addonFile, kernelsProject } from '../setup/kernels.mjs';

/** As `{ platform, isa, file }`. The clone has to be built. */
export async function listOwnBuilds(root) {
  const { platformName } = await import(pathToFileURL(path.join(root, 'packages/kernels/dist/builds.js')).href);
  const project = kernelsProject(root);
  return project.isas.map((isa) => ({ platform: platformName(), isa, file: addonFile(project, isa) }));
}
