/** Runs documented commands in this process, with small numbers put in and with the files that they read beside them. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodePngImage } from '@lockstep/core/data/pictures';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { type CommandGroup, type DocumentedCommands, splitWords, toArguments } from './documented-commands.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const MODEL = {
  name: 'my',
  input: { channels: 1, height: 28, width: 28 },
  classes: 10,
  layers: [{ type: 'conv', outChannels: 10, kernel: 3, stride: 2 }, { type: 'globalAvgPool' }, { type: 'logSoftmax' }],
};

/** A folder for commands to run in, with the things that they may read kept aside. */
export class CommandStage {
  private readonly root = mkdtempSync(path.join(tmpdir(), 'lockstep-documented-'));
  private readonly kept = path.join(this.root, 'kept');
  private readonly home = process.cwd();

  constructor() {
    mkdirSync(this.kept);
  }

  /** Leaves the embedded sample as the only data. Makes weights, a checkpoint, a run, a calibration and pictures, each once. */
  async prepare(): Promise<void> {
    globalThis.fetch = async () => Promise.reject(new Error('this test has no network'));
    process.env['LOCKSTEP_CACHE'] = path.join(this.root, 'cache');
    process.chdir(this.kept);
    writeFileSync('token', 'documented-secret');
    writeFileSync('model.json', JSON.stringify(MODEL));
    for (const [i, pixel] of Array.from({ length: 100 }, (_, i) => [i, (i * 53) % 256] as const)) {
      const file = `pictures/${i % 5}/${i}.png`;
      mkdirSync(path.dirname(file), { recursive: true });
      const pixels = new Uint8Array(784).fill(pixel, 0, 28 * (1 + (i % 5)));
      writeFileSync(file, encodePngImage({ channels: 1, height: 28, width: 28, pixels }));
    }
    await this.runArguments([...SMALL_TRAIN, '--save', 'w.safetensors', '--checkpoint', 'ckpt', '--out', 'run']);
  }

  close(): void {
    process.chdir(this.home);
    rmSync(this.root, { recursive: true });
  }

  /** Runs the commands of a group one after the other, those that wait for each other together. */
  async run({ place, commands }: CommandGroup): Promise<void> {
    const folder = path.join(this.root, place.replace(/\W/g, '-'));
    mkdirSync(folder);
    process.chdir(folder);
    const port = await findFreePort();
    const alone = { LOCKSTEP_RANK: '0', LOCKSTEP_SIZE: '1', LOCKSTEP_COORDINATOR: `127.0.0.1:${port}` };
    const together: Promise<void>[] = [];
    for (const command of commands) {
      const { words, output } = splitWords(command);
      const env = { ...alone, ...Object.fromEntries(words.filter(isAssignment).map((word) => word.split('=', 2))) };
      const argv = toArguments(
        words.filter((word) => !isAssignment(word)),
        scripts,
      );
      if (!argv) throw new Error(`${place}: ${command} is no command of ours: it needs a mark with the reason`);
      this.placeWhatIsRead(argv);
      const small = putSmallNumbers(argv, port);
      const run = this.runArguments(small, env).then((text) => output && writeFileSync(output, text));
      if (argv.includes('--listen') || argv.includes('--connect')) together.push(run.then(() => undefined));
      else await run;
    }
    await Promise.all(together);
    process.chdir(this.home);
  }

  /** @returns stdout */
  private async runArguments(argv: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const io = new RecordingIo();
    io.env = { ...process.env, ...env };
    // A page that stays until Ctrl-C gets one as soon as it is there.
    const { write } = io.stdout;
    io.stdout.write = (text: string) => {
      write.call(io.stdout, text);
      if (/^Page: .*until Ctrl-C/.test(text)) setImmediate(() => io.interrupt());
    };
    const code = await main(argv, io);
    if (code !== 0)
      throw new Error(`lockstep ${argv.join(' ')} ended with ${code}\n${io.stdout.text}${io.stderr.text}`);
    return io.stdout.text;
  }

  /** Puts beside a command what it reads and an earlier command has not left there. */
  private placeWhatIsRead(argv: readonly string[]): void {
    const put = (kept: string, to: string | undefined): void => {
      if (to !== undefined && !existsSync(to)) cpSync(path.join(this.kept, kept), to, { recursive: true });
    };
    const givenTo = (flag: string): string | undefined => argv[argv.indexOf(flag) + 1 || argv.length];
    put('w.safetensors', givenTo('--weights'));
    put('ckpt', givenTo('--resume'));
    put('pictures', givenTo('--data'));
    put('token', givenTo('--token-file'));
    if (argv[0] === 'dashboard') put('run', argv[1]?.includes('/') ? argv[1] : `${argv[1]}/a`);
    for (const word of argv.filter((word) => word === 'my.json')) put('model.json', word);
    for (const word of argv.filter((word) => word.endsWith('.png'))) put('pictures/1/1.png', word);
  }
}

const SMALL_TRAIN = ['train', '--steps', '2', '--workers', '2'];
const isAssignment = (word: string): boolean => /^[A-Z_]+=/.test(word);

/** The same command for a few steps, on ports of this machine that are free. */
function putSmallNumbers(argv: readonly string[], port: number): string[] {
  const small = argv.map((word) =>
    word.replace('0.0.0.0:7400', `127.0.0.1:${port}`).replace(/^ws:\/\/\w+:7400$/, `ws://127.0.0.1:${port}`),
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
    if (small.includes('--listen') && !small.includes('--wait-for')) set('--wait-for', '1');
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

function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Parts what is to be run from what is marked, and finds the marks that no command begins with. */
export function sortCommands(documents: readonly DocumentedCommands[]): {
  toRun: CommandGroup[];
  marked: string[];
  needless: string[];
} {
  const [toRun, marked, needless]: [CommandGroup[], string[], string[]] = [[], [], []];
  for (const { groups, marks } of documents) {
    const isMarked = (command: string): boolean => marks.some((mark) => command.startsWith(mark));
    const all = groups.flatMap(({ commands }) => commands);
    marked.push(...all.filter(isMarked));
    needless.push(...marks.filter((mark) => !all.some((command) => command.startsWith(mark))));
    for (const { place, commands } of groups) {
      const rest = commands.filter((command) => !isMarked(command));
      if (rest.length > 0) toRun.push({ place, commands: rest });
    }
  }
  return { toRun, marked, needless };
}
