/**
 * One set-up at a time. The lock is a file that names its holder, who writes it anew while it works. A holder that can be
 * seen from here has it for as long as it lives, also where it stands still or the clock jumps; one of another machine,
 * container or boot has lost it when its lock was not written for a minute, by the clock of the file system.
 */
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SetupError } from './report.mjs';

const HEARTBEAT_MS = 5_000;
const STALE_AFTER_MS = 60_000;
const POLL_MS = 100;

/**
 * Waits for the lock and returns the function that gives it back. `onWait(holder)` is called once if another
 * process has it. Rejects when `signal` is aborted, and with a SetupError when the lock cannot be read.
 */
export async function acquireLock(file, { onWait = () => {}, signal } = {}) {
  mkdirSync(path.dirname(file), { recursive: true });
  const own = JSON.stringify({ ...identify(process.pid), since: new Date().toISOString() });
  for (let waited = false; ; ) {
    const { isOurs, nowMs } = tryCreate(file, own);
    if (isOurs) break;
    const holder = readHolder(file);
    if (holder === undefined) continue;
    if (isGone(holder, nowMs)) {
      takeAway(file, holder.text);
      continue;
    }
    if (!waited) onWait(holder);
    waited = true;
    await delay(POLL_MS, undefined, { signal });
  }
  // of the lock itself, whatever its name leads to by then
  const descriptor = openSync(file, 'r+');
  const heartbeat = setInterval(() => touch(descriptor, own), HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    closeSync(descriptor);
    if (readHolder(file)?.text === own) rmSync(file, { force: true });
  };
}

/** Who a process is; as core's processes are told apart (coordinator's process-identity.ts), which are not built yet. */
export function identify(pid) {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return { pid, host: os.hostname(), place: [boot, namespace].join(' '), began: beginningOf(pid) };
}

/** When a process began, where /proc says it: its 22nd field, behind a name that may hold spaces. An ended one began never. */
function beginningOf(pid) {
  const fields = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' '));
  return fields?.[0] === 'Z' ? 'never' : fields?.[19];
}

function attempt(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A link appears with its contents already in it; where a file system has no links, a file is made and then written. */
function tryCreate(file, text) {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, text);
    const nowMs = statSync(draft).mtimeMs;
    return {
      isOurs: isCreated(
        () => linkSync(draft, file),
        () => writeFileSync(file, text, { flag: 'wx' }),
      ),
      nowMs,
    };
  } finally {
    rmSync(draft, { force: true });
  }
}

function isCreated(create, otherwise) {
  try {
    create();
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    if (otherwise === undefined) throw error;
    return isCreated(otherwise);
  }
}

function readHolder(file) {
  let text;
  let touchedMs;
  try {
    touchedMs = statSync(file).mtimeMs;
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw new SetupError(`the lock ${file} cannot be read: ${error.message}`, {
      hint: 'It says who is setting up. If nobody is, remove it and run the same command again.',
    });
  }
  try {
    return { ...JSON.parse(text), text, touchedMs };
  } catch {
    return { pid: 0, host: '', since: 'unknown', text, touchedMs };
  }
}

function isGone({ pid, host, place, began, touchedMs }, nowMs) {
  const here = identify(pid);
  const isSilent = nowMs - touchedMs > STALE_AFTER_MS;
  if (host !== here.host || place !== here.place) return isSilent;
  // where a number may be another process's by now, silence tells
  return !isAlive(pid) || (here.began === undefined ? isSilent : began !== here.began);
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two waiters may both see a stale lock: what was moved is looked at, and put back if it was the other's new one. */
function takeAway(file, staleText) {
  const moved = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, moved);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(moved, 'utf8') !== staleText) {
    try {
      linkSync(moved, file);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
  rmSync(moved, { force: true });
}

function touch(descriptor, own) {
  try {
    writeSync(descriptor, own, 0);
  } catch {
    // A full disk: who can see this process knows that it lives.
  }
}
