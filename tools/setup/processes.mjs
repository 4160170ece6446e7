/** Child processes of the set-up, and a small pool. */
import { spawn } from 'node:child_process';

const KILL_AFTER_MS = 5_000;

/**
 * Runs a command without stdin and collects what it prints (stdout and stderr in the order they came).
 * Resolves with `{ code, output }`; `code` is null when a signal ended it. A command that cannot be
 * started has code 127. Rejects only when `signal` is aborted, and not before the command has ended: an npm that
 * still cleans up behind our back would ruin the next one's work.
 *
 * @param isGroup whether the command is ended with all that it has started: a compiler's driver leaves the compiler behind
 */
export function run(command, args, { cwd, env, signal, isGroup = false } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const detached = isGroup && process.platform !== 'win32';
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio, detached });
    const stop = () => stopChild(child, detached);
    signal?.addEventListener('abort', stop);
    const settle = (result) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve(result);
    };
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => settle({ code: 127, output: `${command}: ${error.message}\n` }));
    child.on('close', (code) => settle({ code, output: Buffer.concat(chunks).toString() }));
  });
}

function stopChild(child, isLeader) {
  const kill = (signal) => {
    try {
      if (isLeader && child.pid !== undefined) process.kill(-child.pid, signal);
      else child.kill(signal);
    } catch {
      // all of them have ended
    }
  };
  kill('SIGTERM');
  setTimeout(kill, KILL_AFTER_MS, 'SIGKILL').unref();
}

/** Runs a command on this terminal and resolves with its exit code (128 + n when a signal ended it). */
export function runVisibly(command, args, { cwd, env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: 'inherit' });
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** Runs `jobs` (functions that return promises), at most `width` at a time. After a failure no further job starts. */
export async function runPool(jobs, width) {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < jobs.length && !failed) {
      const job = jobs[next++];
      try {
        await job();
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(width, jobs.length) }, lane));
  const failure = lanes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}
