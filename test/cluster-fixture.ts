/** What tests of clusters share: made-up data, real CLI processes, a TCP proxy that does harm on request. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeIdxImages, encodeIdxLabels } from '../packages/core/dist/index.js';

export const BIN = path.resolve(import.meta.dirname, '../packages/cli/dist/bin.js');
const SIDE = 12;
const CLASSES = 10;
/** How many times longer a test waits: for a machine that is busy with other things. */
const PATIENCE = Number(process.env['LOCKSTEP_TEST_PATIENCE'] ?? 1);
/** 9 steps an epoch, the last of one shard. */
const TRAIN_COUNT = 1040;
const TEST_COUNT = 90;

/** With dropout, batch norm and augmentation, so that a hash covers them. */
const bars = {
  name: 'bars',
  input: { channels: 1, height: SIDE, width: SIDE },
  classes: CLASSES,
  layers: [
    { type: 'conv', outChannels: 8, kernel: 3, padding: 1 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'maxPool', kernel: 2 },
    { type: 'dropout', p: 0.1 },
    { type: 'flatten' },
    { type: 'linear', outFeatures: CLASSES },
  ],
  recipe: { epochs: 100, batchSize: 128, augmentation: { rotation: 3 }, learningRate: 0.01 },
};

/** The same with a dense layer large enough for a group stage, so that its vector has a tail that is final early. */
const wide = {
  ...bars,
  name: 'wide',
  layers: [
    ...bars.layers.slice(0, -1),
    { type: 'linear', outFeatures: 160 },
    { type: 'relu' },
    { type: 'linear', outFeatures: CLASSES },
  ],
};

export class Fixture {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'lockstep-cluster-'));
  readonly model = path.join(this.folder, 'bars.json');
  readonly data = path.join(this.folder, 'data');
  readonly token = path.join(this.folder, 'token');
  readonly running = new Set<Program>();

  constructor(isWide = false) {
    mkdirSync(this.data);
    this.#writeSplit('train', TRAIN_COUNT);
    this.#writeSplit('t10k', TEST_COUNT);
    writeFileSync(this.model, JSON.stringify(isWide ? wide : bars));
    writeFileSync(this.token, 'a token for the tests\n');
  }

  /** Made-up digits: class c is a bright row at height c + 1 over a pattern that depends on the image. */
  #writeSplit(stem: string, count: number): void {
    const pixels = new Uint8Array(count * SIDE * SIDE);
    const labels = Uint8Array.from({ length: count }, (_, index) => index % CLASSES);
    for (let index = 0; index < pixels.length; index++) {
      const image = Math.floor(index / SIDE ** 2);
      const row = Math.floor(index / SIDE) % SIDE;
      pixels[index] = row === (labels[image] as number) + 1 ? 255 : (index * 37 + image * 11) % 60;
    }
    const images = { count, channels: 1, height: SIDE, width: SIDE, pixels };
    writeFileSync(path.join(this.data, `${stem}-images-idx3-ubyte`), encodeIdxImages(images));
    writeFileSync(path.join(this.data, `${stem}-labels-idx1-ubyte`), encodeIdxLabels(labels));
  }

  /** A run of `steps` steps; without further flags in one process with one worker. */
  train(
    steps: number,
    flags: readonly string[] = [],
    env: Record<string, string> = {},
    prefix: readonly string[] = [],
  ): Program {
    const workers = flags.includes('--workers') ? [] : ['--workers', '1'];
    const args = [
      'train',
      this.model,
      '--data',
      this.data,
      '--steps',
      String(steps),
      '--no-save',
      '--json',
      ...workers,
    ];
    return this.#start([...args, ...flags], env, prefix);
  }

  listen(steps: number, flags: readonly string[] = [], env: Record<string, string> = {}): Program {
    return this.train(steps, ['--listen', '127.0.0.1:0', '--token-file', this.token, ...flags], env);
  }

  worker(
    url: string,
    flags: readonly string[] = [],
    env: Record<string, string> = {},
    prefix: readonly string[] = [],
  ): Program {
    const threads = flags.includes('--threads') ? [] : ['--threads', '1'];
    const token = flags.includes('--token-file') ? [] : ['--token-file', this.token];
    const data = flags.includes('--no-data') ? [] : ['--data', this.data];
    const rest = flags.filter((flag) => flag !== '--no-data');
    return this.#start(['worker', '--connect', url, ...threads, ...token, ...data, ...rest], env, prefix);
  }

  /** One of the processes of a run that `lockstep launch` makes: the same line in each, and its own rank. */
  launch(
    steps: number,
    rank: number,
    size: number,
    port: number,
    flags: readonly string[] = [],
    env: Record<string, string> = {},
  ): Program {
    const run = ['--data', this.data, '--steps', String(steps), '--no-save', '--json', '--workers', '1'];
    return this.#start(
      ['launch', this.model, ...run, ...flags],
      {
        LOCKSTEP_RANK: String(rank),
        LOCKSTEP_SIZE: String(size),
        LOCKSTEP_COORDINATOR: `127.0.0.1:${port}`,
        LOCKSTEP_TOKEN_FILE: this.token,
        ...env,
      },
      [],
    );
  }

  #start(args: readonly string[], env: Record<string, string>, prefix: readonly string[]): Program {
    const program = new Program([...prefix, process.execPath, BIN, ...args], {
      LOCKSTEP_CACHE: path.join(this.folder, 'cache'),
      LOCKSTEP_SILENCE_MS: '3000',
      LOCKSTEP_NODE_DEADLINE_MS: '1000',
      LOCKSTEP_EVEN: '1',
      ...env,
    });
    this.running.add(program);
    return program;
  }

  /** Ends whatever a test has left. */
  async clear(): Promise<void> {
    for (const program of this.running) program.kill('SIGKILL');
    await Promise.all([...this.running].map((program) => program.exit));
    this.running.clear();
  }

  async remove(): Promise<void> {
    await this.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export type Event = { readonly event: string } & Record<string, unknown>;

/** A process of the real CLI. */
export class Program {
  readonly events: Event[] = [];
  stdout = '';
  stderr = '';
  readonly exit: Promise<number>;
  readonly #child: ChildProcess;
  #wake: (() => void)[] = [];

  constructor(command: readonly string[], env: Record<string, string>) {
    const [file = '', ...args] = command;
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#notify();
    });
    this.exit = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#notify();
        resolve(code ?? (signal === null ? -1 : 128));
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The most memory that the process has had, in MiB; undefined where the system does not say (it is Linux that does). */
  get peakMebibytes(): number | undefined {
    if (!existsSync(`/proc/${this.pid}/status`)) return undefined;
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #read(text: string): void {
    this.stdout += text;
    const lines = this.stdout.split('\n');
    this.stdout = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.events.push(JSON.parse(line) as Event);
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Resolves when the condition holds; fails when it does not in time, with what the process said. */
  async until<T>(find: () => T | undefined | false, what: string, timeoutMs = 20_000): Promise<T> {
    const deadline = performance.now() + PATIENCE * timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > deadline || !this.isAlive) {
        const late = find();
        if (late !== undefined && late !== false) return late;
        throw new Error(
          `${what} did not happen.\n${this.events
            .slice(-8)
            .map((e) => JSON.stringify(e))
            .join('\n')}\n${this.stderr.slice(-2000)}`,
        );
      }
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        setTimeout(resolve, 50);
      });
    }
  }

  event(name: string, timeoutMs?: number, matches: (event: Event) => boolean = () => true): Promise<Event> {
    return this.until(
      () => this.events.find((event) => event.event === name && matches(event)),
      `the event ${name}`,
      timeoutMs,
    );
  }

  async url(timeoutMs?: number): Promise<string> {
    return String((await this.event('listening', timeoutMs))['url']);
  }

  /** The hash of the result. */
  async hash(timeoutMs = 40_000): Promise<string> {
    const end = await this.event('end', timeoutMs);
    return String(end['parametersSha256']);
  }
}

/** Bytes on their way through the proxy; returns what goes on, undefined to cut both sides. */
export type Tamper = (chunk: Buffer, direction: 'up' | 'down', seen: number) => Buffer | undefined;

/** A TCP proxy in front of a coordinator or of a node. */
export class HarmfulProxy {
  readonly #server: net.Server;
  readonly #pairs = new Set<[net.Socket, net.Socket]>();
  tamper: Tamper = (chunk) => chunk;
  delayMs = 0;
  isDown = false;
  /** Connections that came while it was down. */
  refused = 0;

  /**
   * @param target a port of 127.0.0.1; undefined: the one that the proxy has itself, at its own address
   * @param address where it listens, and from where it seems to come: another than 127.0.0.1 needs Linux
   */
  constructor(
    private readonly target: number | undefined,
    private readonly address = '127.0.0.1',
  ) {
    this.#server = net.createServer({ noDelay: true }, (near) => this.#join(near));
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, this.address, resolve));
    return `ws://${this.address}:${this.#port}`;
  }

  get #port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  #join(near: net.Socket): void {
    if (this.isDown) {
      this.refused += 1;
      near.destroy();
      return;
    }
    const far = net.connect({
      host: '127.0.0.1',
      port: this.target ?? this.#port,
      localAddress: this.address,
      noDelay: true,
    });
    const pair: [net.Socket, net.Socket] = [near, far];
    this.#pairs.add(pair);
    this.#pipe(near, far, 'up', pair);
    this.#pipe(far, near, 'down', pair);
  }

  #pipe(from: net.Socket, to: net.Socket, direction: 'up' | 'down', pair: [net.Socket, net.Socket]): void {
    let seen = 0;
    from.on('data', (chunk) => {
      const passed = this.tamper(Buffer.from(chunk), direction, seen);
      seen += chunk.length;
      if (passed === undefined) this.#cut(pair);
      else if (this.delayMs > 0) setTimeout(() => to.write(passed), this.delayMs);
      else to.write(passed);
    });
    for (const event of ['close', 'error'] as const) from.on(event, () => this.#cut(pair));
  }

  #cut(pair: [net.Socket, net.Socket]): void {
    for (const socket of pair) socket.destroy();
    this.#pairs.delete(pair);
  }

  /** Ends every connection now. */
  cut(): void {
    for (const pair of [...this.#pairs]) this.#cut(pair);
  }

  close(): void {
    this.isDown = true;
    this.cut();
    this.#server.close();
  }
}

/** A port that nobody has at the moment. */
export async function findFreePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export const portOf = (url: string): number => Number(new URL(url).port);
