/** Runs documented commands in this process, with small numbers put in and with the files that they read beside them. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { type CommandBlock, isAssignment, splitWords, toArguments } from '../support/documented-commands.ts';
import { findFreePort } from '../support/free-port.ts';
import { listReads, putSmallNumbers, type Read, SMALL_MODEL } from '../support/small-numbers.ts';
import { writeSmallPictures } from '../support/small-pictures.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

/** The names under which things are kept. */
const KEPT: Readonly<Partial<Record<Read['kept'], string>>> = {
  weights: 'w.safetensors',
  checkpoints: 'ckpt',
  pictures: 'pictures',
  token: 'token',
  run: 'run',
  model: 'model.json',
  image: 'pictures/1/1.png',
};

/** A folder for commands to run in, with the things that they may read kept aside. */
export class CommandStage {
  private readonly root = mkdtempSync(path.join(tmpdir(), 'lockstep-documented-'));
  private readonly kept = path.join(this.root, 'kept');
  private readonly home = process.cwd();

  constructor() {
    mkdirSync(this.kept);
  }

  /** Leaves the embedded sample as the only data. Makes weights, a checkpoint, a run and pictures, each once. */
  async prepare(): Promise<void> {
    globalThis.fetch = async () => Promise.reject(new Error('this test has no network'));
    process.env['LOCKSTEP_CACHE'] = path.join(this.root, 'cache');
    process.chdir(this.kept);
    writeFileSync('token', 'documented-secret');
    writeFileSync('model.json', JSON.stringify(SMALL_MODEL));
    writeSmallPictures('pictures');
    await this.runArguments([...SMALL_TRAIN, '--save', 'w.safetensors', '--checkpoint', 'ckpt', '--out', 'run']);
  }

  close(): void {
    process.chdir(this.home);
    rmSync(this.root, { recursive: true });
  }

  /** Runs the commands of a block one after the other, those that wait for each other together. */
  async run({ place, commands }: CommandBlock): Promise<void> {
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
      for (const { kept, at } of listReads(argv)) {
        const from = KEPT[kept];
        if (from !== undefined && !existsSync(at)) cpSync(path.join(this.kept, from), at, { recursive: true });
      }
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
}

const SMALL_TRAIN = ['train', '--steps', '2', '--workers', '2'];
