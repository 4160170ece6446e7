/** Finds a Python with pip, which knows the user's mirror of PyPI, and downloads a wheel with it. */
import { run } from './processes.mjs';
import { SetupError } from './report.mjs';

/** pip goes on with a download that broke off, from this version on, if it is told to. */
const RESUMING_PIP = [25, 1];

export const NO_PIP_HINT = [
  'Install Python 3 with pip, then run the same command again:',
  '  Debian, Ubuntu:  sudo apt-get install python3-pip',
  '  Fedora:          sudo dnf install python3-pip',
  '  macOS:           xcode-select --install',
].join('\n');

/** `{ command, pipVersion: [major, minor] }` of the first Python that has pip. Throws a SetupError without any. */
export async function findPython({ env = process.env, signal } = {}) {
  let found;
  for (const command of ['python3', 'python']) {
    const { code, output } = await run(command, ['-m', 'pip', '--version'], { env, signal });
    const version = /^pip (\d+)\.(\d+)/m.exec(output);
    if (code === 0 && version) return { command, pipVersion: [Number(version[1]), Number(version[2])] };
    if (code !== 127) found = command;
  }
  const what = found ? `${found} has no pip` : 'there is no python3';
  throw new SetupError(`${what}, and libtensorflow comes from PyPI through pip`, { hint: NO_PIP_HINT });
}

/** Downloads one wheel into `folder`. `scratch` is where it grows until it is complete. */
export async function downloadWheel(
  python,
  { project, version, platform, folder, scratch },
  { env = process.env, signal } = {},
) {
  const args = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--disable-pip-version-check',
    '--no-input',
  ];
  // the wheel's own Python does not matter: only its C++ libraries are used
  args.push('--python-version', '3.11', '--implementation', 'cp', '--platform', platform);
  const [major, minor] = python.pipVersion;
  if (major > RESUMING_PIP[0] || (major === RESUMING_PIP[0] && minor >= RESUMING_PIP[1]))
    args.push('--resume-retries', '5');
  args.push('--dest', folder, `${project}==${version}`);
  const { code, output } = await run(python.command, args, { env: { ...env, TMPDIR: scratch }, signal });
  if (code === 0) return;
  throw new SetupError(`pip could not download ${project} ${version} for ${platform}`, {
    output,
    hint: 'Check the network, and `python3 -m pip config list` if you use a mirror. Then run the same command again.',
  });
}

/** Unpacks the members of a wheel that are named, or that start with one of the prefixes and end with `.h`. */
export async function unpackWheel(python, wheel, { names, headerFolders, folder }, { signal } = {}) {
  const script = [
    'import sys, json, zipfile',
    'wheel, folder, names, prefixes = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), tuple(json.loads(sys.argv[4]))',
    'with zipfile.ZipFile(wheel) as archive:',
    '    for name in names: archive.extract(name, folder)',
    '    for name in archive.namelist():',
    '        if name.startswith(prefixes) and name.endswith(".h"): archive.extract(name, folder)',
  ].join('\n');
  const args = ['-c', script, wheel, folder, JSON.stringify(names), JSON.stringify(headerFolders)];
  const { code, output } = await run(python.command, args, { signal });
  if (code !== 0)
    throw new SetupError(`${wheel} cannot be unpacked`, { output, hint: 'Is the disk full? 0.7 GB are needed.' });
}
