/**
 * One set-up at a time. The lock is a file that names its holder; the holder touches it while it works, so that a lock
 * left by a process that died (or by one whose number another process has now) is known by its age and taken over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const HEARTBEAT_MS = 5_000;
const STALE_AFTER_MS = 60_000;
const POLL_MS = 100;

/**
 * Waits for the lock and returns the function that gives it back. `onWait(holder)` is called once if another
 * process has it. Rejects when `signal` is aborted.
 */
export async function acquireLock(file, { onWait = () => {}, signal } = {}) {
  mkdirSync(path.dirname(file), { recursive: true });
  const own = JSON.stringify({ pid: process.pid, host: os.hostname(), since: new Date().toISOString() });
  for (let waited = false; !tryCreate(file, own); ) {
    const holder = readHolder(file);
    if (holder === undefined) continue;
    if (isStale(file, holder)) {
      takeAway(file, holder.text);
      continue;
    }
    if (!waited) onWait(holder);
    waited = true;
    await delay(POLL_MS, undefined, { signal });
  }
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    if (readHolder(file)?.text === own) rmSync(file, { force: true });
  };
}

/** A link appears with its contents already in it; a file created and then written could be read empty. */
function tryCreate(file, text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return { ...JSON.parse(text), text };
  } catch {
    return { pid: 0, host: '', since: 'unknown', text };
  }
}

function isStale(file, holder) {
  const ageMs = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (ageMs > STALE_AFTER_MS) return true;
  return holder.host === os.hostname() && !isAlive(holder.pid);
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
  } catch {
    return;
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

function touch(file) {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // Somebody removed the lock by hand: there is nothing left to keep alive.
  }
}
