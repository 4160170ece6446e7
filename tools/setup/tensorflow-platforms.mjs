/** Where libtensorflow comes from: the PyPI wheel of each platform, with its SHA-256. */
import { SetupError } from './report.mjs';

export const TFJS_VERSION = '4.22.0';
export const LIBTENSORFLOW_VERSION = '2.15.1';

const SO = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const DYLIB = ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'];

/**
 * The wheels that hold the libraries and headers; at 2.15.1 `tensorflow` for arm64 Linux and `tensorflow-macos` are
 * empty and only depend on these.
 */
export const WHEELS = {
  'linux-x64': {
    project: 'tensorflow-cpu',
    platform: 'manylinux2014_x86_64',
    bytes: 207_208_420,
    sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
    libraries: SO,
  },
  'linux-arm64': {
    project: 'tensorflow-cpu-aws',
    platform: 'manylinux2014_aarch64',
    bytes: 211_874_120,
    sha256: 'd4c3a3a9363bf42999adedbbd514e3a133be2d62f61fee9cfa46aaefb087c09e',
    libraries: SO,
  },
  'darwin-x64': {
    project: 'tensorflow',
    platform: 'macosx_10_15_x86_64',
    bytes: 236_482_723,
    sha256: '6761efe511e6ee0f893f60738fefbcc51d6dc386eeaaafea59d21899ef369ffd',
    libraries: DYLIB,
  },
  'darwin-arm64': {
    project: 'tensorflow',
    platform: 'macosx_12_0_arm64',
    bytes: 205_736_374,
    sha256: 'aa926114d1e13ffe5b2ea59c3f195216f26646d7fe36e9e5207b291e4b7902ff',
    libraries: DYLIB,
  },
};

/** The wheel for a machine. Throws a SetupError where there is none. */
export function findWheel({ platform = process.platform, arch = process.arch, isGlibc = hasGlibc() } = {}) {
  const wheel = WHEELS[`${platform}-${arch}`];
  if (wheel === undefined) {
    throw new SetupError(`there is no libtensorflow ${LIBTENSORFLOW_VERSION} for ${platform} ${arch}`, {
      hint: `It exists for ${Object.keys(WHEELS).join(', ')}. Use the native engine, which is the default, or a machine of these.`,
    });
  }
  if (platform === 'linux' && !isGlibc) {
    throw new SetupError('libtensorflow needs glibc, and this Linux has another C library (musl: Alpine)', {
      hint: 'Use the native engine, which is the default, or an image with glibc such as node:22-slim.',
    });
  }
  return wheel;
}

function hasGlibc() {
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}
