/** Documented commands with small numbers put in, so that each ends in a moment, and the files that they read. */

/** The same command for a few steps, on ports of this machine that are free. */
export function putSmallNumbers(argv: readonly string[], port: number): string[] {
  const small = argv.map((word) =>
    word
      .replace(/(?:0\.0\.0\.0|127\.0\.0\.1):7400/, `127.0.0.1:${port}`)
      .replace(/^(wss?):\/\/[\w.]+:7400$/, (_, scheme) => `${scheme}://127.0.0.1:${port}`),
  );
  const set = (flag: string, value: string): void => {
    const at = small.indexOf(flag);
    if (at < 0) small.push(flag, value);
    else small[at + 1] = value;
  };
  if (small.includes('--help')) return small;
  if (small[0] === 'train' || small[0] === 'launch') {
    // Two steps more than the checkpoint has.
    set('--steps', small.includes('--resume') ? '4' : '2');
    if (!small.includes('--workers') || small[small.indexOf('--workers') + 1] !== '1') set('--workers', '2');
    if (small.includes('--listen')) set('--wait-for', '1');
    const page = small.indexOf('--dashboard');
    if (page >= 0) small.splice(page, 1, '--dashboard', '0');
    if (small.includes('--metrics')) set('--metrics', '0');
  }
  if (small[0] === 'worker') set('--threads', '1');
  if (small[0] === 'dashboard') set('--port', '0');
  if (small[0] === 'bench') {
    const isOneModel = small[1] === 'kernels';
    if (!isOneModel) set('--models', 'sprint13k');
    if (small[1] !== 'memory') set('--seconds', '0.01');
    if (!isOneModel && small[1] !== 'memory') set('--repetitions', '1');
    if (!isOneModel && small[1] !== 'cluster') set(small[1] === 'predictions' ? '--nodes' : '--workers', '1');
  }
  return small;
}

/** Something that a command reads: which of the things that are kept aside for it, and where it is looked for. */
export interface Read {
  readonly kept:
    | 'weights'
    | 'checkpoints'
    | 'pictures'
    | 'token'
    | 'run'
    | 'model'
    | 'image'
    | 'certificate'
    | 'key'
    | 'table';
  readonly at: string;
}

/** What a command reads, whether or not a command before it leaves it there. */
export function listReads(argv: readonly string[]): Read[] {
  const reads: Read[] = [];
  const add = (kept: Read['kept'], at: string | undefined): void => {
    if (at !== undefined) reads.push({ kept, at });
  };
  const givenTo = (flag: string): string | undefined => argv[argv.indexOf(flag) + 1 || argv.length];
  const weights = givenTo('--weights');
  add(weights?.startsWith('runs/') ? 'run' : 'weights', weights);
  add('checkpoints', givenTo('--resume'));
  add('pictures', argv[0] === 'data' && argv[1]?.startsWith('-') === false ? argv[1] : givenTo('--data'));
  add('token', givenTo('--token-file'));
  add('certificate', givenTo('--tls-cert') ?? givenTo('--tls-ca'));
  add('key', givenTo('--tls-key'));
  add('table', givenTo('--csv'));
  if (argv[0] === 'dashboard') add('run', argv[1]?.includes('/') ? argv[1] : `${argv[1]}/a`);
  for (const word of argv.filter((word) => word === 'my.json')) add('model', word);
  for (const word of argv.filter((word) => word.endsWith('.png') && givenTo('--sheet') !== word)) add('image', word);
  return reads;
}

/** A model in a file. */
export const SMALL_MODEL = {
  name: 'my',
  input: { channels: 1, height: 28, width: 28 },
  classes: 10,
  layers: [{ type: 'conv', outChannels: 10, kernel: 3, stride: 2 }, { type: 'globalAvgPool' }, { type: 'logSoftmax' }],
};
