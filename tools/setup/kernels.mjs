/**
 * Step 3: the C++ kernels, one Node-API addon per instruction set: build/lockstep-<isa>.node.
 *
 *   native/*.cc  x  instruction set  ->  build/obj/<isa>/<name>-<hash>.o  ->  build/lockstep-<isa>.node
 *
 * An object's name carries the hash of all that went into it (source, headers, flags, compiler), so an object that
 * exists is right and a changed file is the only one compiled. Outputs appear by rename and the stamp comes last.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isSameCompiler } from './compiler.mjs';
import { detectInstructionSets, INSTRUCTION_SETS, instructionSetsOfRun } from './instruction-sets.mjs';
import { run, runPool } from './processes.mjs';
import { SetupError } from './report.mjs';
import { fingerprint, hashFiles, hashText, listFiles, readStamp, writeStamp } from './stale.mjs';

// -ffp-contract=off: a multiply-add is fused where the source says so and nowhere else, or bits differ between builds.
const COMPILE_FLAGS = [
  ...['-std=c++20', '-O3', '-fPIC', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden'],
  ...['-ffp-contract=off', '-fno-math-errno', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=lockstep'],
];
/** The source that asks the processor whether it can run the others: compiled for every processor of the platform. */
const ENTRY = 'entry.cc';
/**
 * What depends on where the addons will run: here on this machine. `staticFlags` are left out where linking fails with
 * them; an addon that `runsHere` is loaded before it counts as built.
 */
const HERE = {
  name: `${process.platform} ${process.arch}`,
  // -z now: a symbol that is missing is found when the addon is loaded, not when it is first called.
  linkFlags:
    process.platform === 'darwin'
      ? ['-bundle', '-undefined', 'dynamic_lookup', '-Wl,-S']
      : ['-shared', '-s', '-Wl,-z,now'],
  // So that the addon runs where another libstdc++ is installed; left out where the static libraries are not.
  staticFlags: process.platform === 'darwin' ? [] : ['-static-libstdc++', '-static-libgcc'],
  runsHere: true,
};

/** Where this repository's kernels are, and what this processor can run; or another `target`, as HERE, with a folder of its own. */
export function kernelsProject(
  root,
  { isas = detectInstructionSets(), env = process.env, target = HERE, buildFolder } = {},
) {
  const folder = path.join(root, 'packages', 'kernels');
  return {
    target,
    sourceFolder: path.join(folder, 'native'),
    buildFolder: buildFolder ?? path.join(folder, 'build'),
    includeFolder: path.join(root, 'node_modules', 'node-api-headers', 'include'),
    isas,
    env,
  };
}

/** The builds that a run needs, not those that tests compare it with. */
export const kernelsOfRun = (root) => kernelsProject(root, { isas: instructionSetsOfRun() });

/** Whether every addon is what the sources give. Looks at names, sizes and times only, and starts no process. */
export function areKernelsFresh(project) {
  const sources = fingerprint(listSources(project));
  return project.isas.every((isa) => {
    const stamp = readStamp(stampFile(project, isa));
    return (
      stamp.sources === sources &&
      stamp.settings === settingsOf(isa, project.target) &&
      stamp.cxx === (project.env.CXX ?? '') &&
      isSameCompiler(stamp.compiler) &&
      isWhole(project, isa, stamp)
    );
  });
}

/** Whether the addon has as many bytes as it was linked with: a full disk, or a power cut, may have left fewer. */
const isWhole = (project, isa, { bytes }) =>
  bytes !== undefined && statSync(addonFile(project, isa), { throwIfNoEntry: false })?.size === bytes;

/** Whether there is a build that this processor can run, of whatever sources; or none that it could. */
export const areKernelsThere = ({ isas, ...project }) =>
  isas.length === 0 || isas.some((isa) => existsSync(addonFile(project, isa)));

/**
 * Builds what is missing or changed with `compiler` (of findCompiler). Returns the counts `{ compiled, linked }`.
 * Throws a SetupError with the compiler's output.
 */
export async function buildKernels(project, compiler, { signal, width = os.availableParallelism() } = {}) {
  const sources = fingerprint(listSources(project));
  const headersHash = hashFiles([...listSources(project).filter(isHeader), ...listFiles(project.includeFolder)]);
  const units = listUnits(project);
  const builds = project.isas.map((isa) => planBuild(project, compiler, isa, units, headersHash));
  const objects = builds.flatMap((build) => build.objects).filter((object) => !existsSync(object.file));
  // The largest first: the pool then ends with small ones, and no core waits long.
  objects.sort((a, b) => b.sourceBytes - a.sourceBytes);
  for (const build of builds) mkdirSync(build.objectFolder, { recursive: true });
  await runPool(
    objects.map((object) => () => compile(object, compiler, project, signal)),
    width,
  );
  const changed = builds.filter((build) => !isLinked(project, build));
  await runPool(
    changed.map((build) => () => link(build, compiler, project, signal)),
    width,
  );
  for (const build of builds) finish(project, compiler, build, sources);
  return { compiled: objects.length, linked: changed.length };
}

function listSources({ sourceFolder }) {
  return listFiles(sourceFolder, (name) => /\.(cc|h|inc)$/.test(name));
}

function isHeader(file) {
  return !file.endsWith('.cc');
}

function listUnits(project) {
  const units = listSources(project).filter((file) => !isHeader(file));
  if (units.length === 0) {
    throw new SetupError(`there are no C++ sources in ${project.sourceFolder}`, {
      hint: 'Restore them with `git checkout`.',
    });
  }
  return units;
}

function planBuild(project, compiler, isa, units, headersHash) {
  const objectFolder = path.join(project.buildFolder, 'obj', isa);
  const objects = units.map((source) => {
    const unit = path.relative(project.sourceFolder, source).replace(/[\\/]/g, '-').replace(/\.cc$/, '');
    const parts = [
      project.target.name,
      flagsOf(isa, source),
      compiler.command,
      compiler.version,
      headersHash,
      hashFiles([source]),
    ];
    const file = path.join(objectFolder, `${unit}-${hashText(JSON.stringify(parts)).slice(0, 16)}.o`);
    return { isa, source, file, sourceBytes: statSync(source).size };
  });
  return {
    isa,
    objectFolder,
    objects,
    content: hashText(objects.map((object) => path.basename(object.file)).join('\n')),
  };
}

/** Everything but sources and compiler that shapes an addon. Node's own version is no part of it: Node-API is stable. */
function settingsOf(isa, { name, linkFlags, staticFlags }) {
  return [name, ...flagsOf(isa), ...linkFlags, ...staticFlags].join(' ');
}

function flagsOf(isa, source = '') {
  const allowed = path.basename(source) === ENTRY ? [] : INSTRUCTION_SETS[isa].flags;
  return [...COMPILE_FLAGS, `-DLOCKSTEP_ISA_${isa.toUpperCase()}`, ...allowed];
}

async function compile({ isa, source, file }, compiler, project, signal) {
  const draft = `${file}.${process.pid}`;
  const flags = [...flagsOf(isa, source), `-I${project.includeFolder}`];
  try {
    const { code, output } = await runCompiler(compiler, [...flags, '-c', source, '-o', draft], project, signal);
    if (code !== 0) {
      throw new SetupError(`${path.basename(source)} does not compile for ${isa} with ${compiler.version}`, {
        output,
        hint: 'The kernels are C++20: g++ 10, clang 12 or newer. CXX in the environment names another compiler.',
      });
    }
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

async function link(build, compiler, project, signal) {
  const draft = path.join(project.buildFolder, `.${build.isa}-${process.pid}.node`);
  const objects = build.objects.map((object) => object.file);
  const { linkFlags, staticFlags, runsHere } = project.target;
  try {
    let result;
    for (const extra of staticFlags.length > 0 ? [staticFlags, []] : [[]]) {
      result = await runCompiler(compiler, [...objects, ...linkFlags, ...extra, '-o', draft], project, signal);
      if (result.code === 0) break;
    }
    if (result.code !== 0) {
      // one of them may be damaged, for all that its name says
      rmSync(build.objectFolder, { recursive: true });
      throw new SetupError(`the ${build.isa} kernels do not link`, {
        output: result.output,
        hint: 'Their objects were removed: the same command compiles them anew.',
      });
    }
    if (runsHere) await checkLoads(draft, build.isa, signal);
    renameSync(draft, addonFile(project, build.isa));
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A shared library may link with a symbol missing; loading it in another process tells. */
async function checkLoads(file, isa, signal) {
  const { code, output } = await run(process.execPath, ['-e', 'require(process.argv[1])', file], { signal });
  if (code !== 0) throw new SetupError(`the ${isa} kernels were built but do not load`, { output });
}

function runCompiler(compiler, args, project, signal) {
  const [command, ...words] = compiler.command;
  return run(command, [...words, ...args], { env: project.env, signal, isGroup: true });
}

function isLinked(project, build) {
  const stamp = readStamp(stampFile(project, build.isa));
  return stamp.content === build.content && isWhole(project, build.isa, stamp);
}

/** Drops the objects of earlier sources and says that this build is done. */
function finish(project, compiler, build, sources) {
  const current = new Set(build.objects.map((object) => path.basename(object.file)));
  for (const name of readdirSync(build.objectFolder)) {
    if (!current.has(name)) rmSync(path.join(build.objectFolder, name), { force: true });
  }
  writeStamp(stampFile(project, build.isa), {
    sources,
    settings: settingsOf(build.isa, project.target),
    cxx: project.env.CXX ?? '',
    compiler: { file: compiler.file, fileKey: compiler.fileKey, version: compiler.version },
    content: build.content,
    bytes: statSync(addonFile(project, build.isa)).size,
  });
}

/** Where the addon of an instruction set is, or will be. */
export function addonFile(project, isa) {
  return path.join(project.buildFolder, `lockstep-${isa}.node`);
}

function stampFile(project, isa) {
  return path.join(project.buildFolder, `lockstep-${isa}.json`);
}
