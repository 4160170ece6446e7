/** Ways in which a run can end, each done to a real one: the rows of the table in docs/checkpoints.md. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasProgram } from '../support/clusters-availability.js';
import { BIN } from '../support/digit-bars.js';
import { seedOr } from '../support/seed.ts';
import { BEFORE, ENDLESS, EPOCHS, EVERY, Place, ROOT, type Row, STEPS_PER_EPOCH } from './ending-place.js';
import { makeRandom } from './kill-and-resume.js';

/** Those of the section "How a run can end". */
export function readRows(): Row[] {
  const text = readFileSync(path.join(ROOT, 'docs/checkpoints.md'), 'utf8');
  const section = /^## How a run can end\n([\s\S]*?)\n## /m.exec(text)?.[1] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => {
      const [what = '', code = '', weights = '', checkpoint = ''] = line.slice(2, -2).split(' | ');
      return { what, code, weights, checkpoint };
    });
}

export interface Way {
  /** The case that it was once. */
  readonly row: string;
  /** Whether `npm test` takes it. */
  readonly isFast?: boolean;
  /** Why it cannot be tried here. */
  readonly missing?: string | undefined;
  readonly end: (place: Place) => Promise<Omit<Row, 'what'>>;
}

/** Ends a run by a signal in its first epochs. */
const bySignal =
  (signal: NodeJS.Signals, ...more: string[]) =>
  async (place: Place): Promise<Omit<Row, 'what'>> => {
    const { child, code } = place.startRun(place.train(ENDLESS, ...more));
    await place.has('out', '"event":"checkpoint"');
    child.kill(signal);
    return place.outcomeInOrder(await code);
  };

/** A run to its end by a line of sh, in which $RUN stands for it; $CODE is a file for its exit code. */
const inShell =
  (line: string) =>
  async (place: Place): Promise<Omit<Row, 'what'>> => {
    const shell = place.start('sh', ['-c', line.replace('$RUN', place.trainLine(EPOCHS))], {
      CODE: place.file('code'),
    });
    await shell.code;
    return place.outcome(Number(place.read('code')), EPOCHS * STEPS_PER_EPOCH);
  };

const noFull = existsSync('/dev/full') ? undefined : 'needs /dev/full';

const noMount =
  process.getuid?.() === 0 && process.platform === 'linux' ? undefined : 'needs root and Linux, to mount a small disk';

async function endTwice(place: Place): Promise<Omit<Row, 'what'>> {
  // the step after the checkpoint, which never ends
  const stall = { LOCKSTEP_FAULT: `contribute:0:${2 * EVERY}:stall` };
  const { child, code } = place.startRun(place.train(ENDLESS), stall);
  await place.has('out', `"step":${2 * EVERY},"isBest"`);
  child.kill('SIGINT');
  await place.has('err', 'Ctrl-C again exits at once');
  child.kill('SIGINT');
  await place.has('err', `Checkpoint of step ${2 * EVERY}; to go on from there`);
  return place.outcome(await code, -1);
}

async function closeTerminal(place: Place): Promise<Omit<Row, 'what'>> {
  // stdin is the terminal; this shell stays to see how the run ends, the one before it goes with the terminal
  const [events, said, code] = ['events', 'said', 'code'].map((name) => `'${place.file(name)}'`);
  writeFileSync(
    place.file('stay.sh'),
    `trap '' HUP\n${place.trainLine(ENDLESS, '--steps', '50000')} > ${events} 2> ${said}\necho $? > ${code}\n`,
  );
  const { child } = place.start('script', ['-qec', `sh '${place.file('stay.sh')}'; true`, '/dev/null']);
  await place.has('events', '"event":"checkpoint"');
  child.kill('SIGKILL');
  await place.has('code', '\n');
  writeFileSync(place.file('err'), place.read('said'));
  return place.outcomeInOrder(Number(place.read('code')), 'events');
}

async function closeNohup(place: Place): Promise<Omit<Row, 'what'>> {
  const { child, code } = place.start('nohup', [process.execPath, BIN, ...place.train(EPOCHS)]);
  await place.has('out', '"event":"start"');
  child.kill('SIGHUP');
  return place.outcomeInOrder(await code);
}

/** A terminal's Ctrl-C reaches npm and the run, and npm hands its own on: so a whole group gets it. */
const endNpm =
  (signal: NodeJS.Signals, toGroup: boolean) =>
  async (place: Place): Promise<Omit<Row, 'what'>> => {
    const outcomes: Omit<Row, 'what'>[] = [];
    for (const shell of ['sh', 'bash'].filter(hasProgram)) {
      const [command = '', ...argv] = place.train(ENDLESS);
      rmSync(place.checkpoints, { recursive: true, force: true });
      const { child, code } = place.start('npm', ['run', '-s', `--script-shell=${shell}`, command, '--', ...argv]);
      await place.has('out', '"event":"checkpoint"');
      process.kill((toGroup ? -1 : 1) * (child.pid as number), signal);
      outcomes.push(place.outcomeInOrder(await code));
    }
    return theSame(outcomes);
  };

async function killOften(place: Place): Promise<Omit<Row, 'what'>> {
  const random = makeRandom(seedOr(2024));
  const outcomes: Omit<Row, 'what'>[] = [];
  for (let moment = 0; moment < 20; moment++) {
    rmSync(place.checkpoints, { recursive: true, force: true });
    const { child, code } = place.startRun(place.train(ENDLESS));
    await place.has('out', '"event":"checkpoint"');
    setTimeout(() => child.kill('SIGKILL'), 150 * random());
    outcomes.push(place.outcome(await code, -1));
  }
  return theSame(outcomes);
}

async function beginSecond(place: Place): Promise<Omit<Row, 'what'>> {
  const first = place.startRun(place.train(ENDLESS), { LOCKSTEP_FAULT: `contribute:0:${2 * EVERY + 1}:stall` });
  await place.has('out', `"step":${2 * EVERY},"isBest"`);
  const second = await place.startRun(place.train(ENDLESS)).code;
  if (!place.read('err').includes('LOCKSTEP_CHECKPOINT_LOCKED')) throw new Error(place.read('err'));
  first.child.kill('SIGKILL');
  await first.code;
  return place.outcome(second, -1);
}

async function fillDisk(place: Place): Promise<Omit<Row, 'what'>> {
  const disk = place.file('disk');
  mkdirSync(disk);
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk]);
  try {
    place.checkpoints = path.join(disk, 'ck');
    const { code } = place.startRun(place.train(EPOCHS, '--keep', '100'));
    const outcome = place.outcome(await code, EPOCHS * STEPS_PER_EPOCH);
    if (!place.read('out').includes('"code":"LOCKSTEP_CHECKPOINT_WRITE"')) throw new Error(place.read('out'));
    return outcome;
  } finally {
    spawnSync('umount', [disk]);
  }
}

async function fillWeightsDisk(place: Place): Promise<Omit<Row, 'what'>> {
  const disk = place.file('small');
  mkdirSync(disk);
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk]);
  try {
    place.weights = path.join(disk, 'w.safetensors');
    writeFileSync(place.weights, BEFORE);
    place.cache = place.file('cache');
    const { code } = place.startRun(place.train(EPOCHS), { LOCKSTEP_CACHE: place.cache });
    const outcome = place.outcome(await code, EPOCHS * STEPS_PER_EPOCH);
    const [, found = ''] = /They are in (\S+) now/.exec(place.read('err')) ?? [];
    if (!existsSync(found) || readFileSync(place.weights).toString() !== BEFORE) throw new Error(place.read('err'));
    return outcome;
  } finally {
    spawnSync('umount', [disk]);
  }
}

async function diverge(place: Place): Promise<Omit<Row, 'what'>> {
  // from the third epoch on
  const rate = ['--optimizer', 'sgd', '--schedule', 'step', '--step-every', '2', '--gamma', '1e30'];
  const outcome = place.outcome(await place.startRun(place.train(ENDLESS, ...rate)).code, -1);
  const advice = `train --resume ${place.checkpoints} --override --learning-rate 0.001`;
  if (!place.read('err').includes(advice)) throw new Error(place.read('err'));
  return outcome;
}

async function fail(place: Place): Promise<Omit<Row, 'what'>> {
  const { code } = place.startRun(place.train(ENDLESS), { LOCKSTEP_FAULT: `contribute:0:${EVERY + 2}:exit:9` });
  const outcome = place.outcome(await code, -1);
  if (!place.read('err').includes(`train --resume ${place.checkpoints}`)) throw new Error(place.read('err'));
  return outcome;
}

/** What several tries have come to, which must be the same each time. */
function theSame(outcomes: readonly Omit<Row, 'what'>[]): Omit<Row, 'what'> {
  const different = new Set(outcomes.map((outcome) => JSON.stringify(outcome)));
  if (different.size !== 1) throw new Error([...different].join('\n'));
  return outcomes[0] as Omit<Row, 'what'>;
}

/** By what the table says happens. */
export const ways: Readonly<Record<string, Way>> = {
  'it comes to its end, or to that of `--steps`, `--until`, `--patience`': {
    row: 'work "What it must show" 2',
    end: async (place) => place.outcomeInOrder(await place.startRun(place.train(ENDLESS, '--steps', '12')).code),
  },
  'Ctrl-C (SIGINT)': { row: 'work 1', isFast: true, end: bySignal('SIGINT') },
  'Ctrl-C twice, the second one while the step goes on': { row: 'work "What it must show" 2', end: endTwice },
  SIGTERM: { row: 'work "What it must show" 2', end: bySignal('SIGTERM') },
  'SIGTERM, with `--preemptible`': { row: 'work "What it must show" 2', end: bySignal('SIGTERM', '--preemptible') },
  'a batch system warns it (SIGUSR1, SIGUSR2; SIGXCPU of `ulimit -t`)': {
    row: 'work "What it must show" 2',
    end: bySignal('SIGXCPU'),
  },
  'SIGTERM to `npm run train`': { row: 'work 4', isFast: true, end: endNpm('SIGTERM', false) },
  'Ctrl-C at `npm run train`, which npm hands on besides': { row: 'work 4', end: endNpm('SIGINT', true) },
  'its terminal is closed (SIGHUP)': {
    row: 'work 3',
    missing: hasProgram('script') ? undefined : 'needs the program script',
    end: closeTerminal,
  },
  'the same, begun under `nohup`': {
    row: 'work 3',
    isFast: true,
    missing: hasProgram('nohup') ? undefined : 'needs the program nohup',
    end: closeNohup,
  },
  'whoever reads its output goes away (`train \\| head -1`)': {
    row: 'work 1',
    isFast: true,
    end: inShell('{ $RUN; echo $? > "$CODE"; } | head -1'),
  },
  'the disk under its output is full (`train > /dev/full`)': {
    row: 'work 2',
    isFast: true,
    missing: noFull,
    end: inShell('$RUN > /dev/full; echo $? > "$CODE"'),
  },
  'the disk under its messages is full (`2> /dev/full`)': {
    row: 'work 2',
    missing: noFull,
    end: inShell('$RUN 2> /dev/full; echo $? > "$CODE"'),
  },
  'it diverges: its loss is no finite number any more': { row: 'numbers 12', isFast: true, end: diverge },
  'it fails: its workers end again and again': { row: 'work "What it must show" 2', end: fail },
  'kill -9, the power fails': { row: 'work "What it must show" 2', end: killOften },
  'a second run is begun with the same `--checkpoint`: how that one ends, and what is there then': {
    row: 'work "What it must show" 2',
    end: beginSecond,
  },
  'the disk under `--checkpoint` fills up': {
    row: 'work "What it must show" 2',
    missing: noMount,
    end: fillDisk,
  },
  'the disk under `--save` fills up': {
    row: 'work 7',
    missing: noMount,
    end: fillWeightsDisk,
  },
};

/** Does that to a run. */
export async function tryWay(what: string): Promise<Row> {
  const place = new Place();
  try {
    return { what, ...(await (ways[what] as Way).end(place)) };
  } finally {
    place.remove();
  }
}
