/**
 * The clocks, timers and chance of this process, for the time of a simulation those of the world: what the code under test
 * asks for with `setTimeout`, `setInterval`, `performance.now` and `Date.now` belongs to the machine whose event is run, and
 * `crypto.getRandomValues` draws from the seed. A turn of the event loop takes no time.
 */
import { syncBuiltinESMExports } from 'node:module';
import promises from 'node:timers/promises';
import type { Entry } from './agenda.js';
import { Draws } from './draws.js';
import { World } from './world.js';

/** When the world begins, in the milliseconds of `Date.now`. */
const BEGINNING_MS = Date.UTC(2026, 0, 1);

class SimulatedTimer {
  entry: Entry | undefined;
  unref(): this {
    return this;
  }
  ref(): this {
    return this;
  }
}

/** The world that is simulated now. */
let simulatedNow: World | undefined;
const { setImmediate: realImmediate } = promises;
const takeTurn = <T>(value: T): Promise<T> => {
  const world = simulatedNow;
  if (world === undefined) return realImmediate(value);
  const { current } = world;
  return new Promise<T>((resolve) => void world.after(0, current, () => resolve(value)));
};
promises.setImmediate = takeTurn as typeof promises.setImmediate;
// for those who import it by its name
syncBuiltinESMExports();

type Callback = (...args: unknown[]) => void;

/** Runs `act` in a world of its own; afterwards all is as it was. */
export async function inWorld<T>(seed: number, act: (world: World) => Promise<T>): Promise<T> {
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis;
  const [now, dateNow, getRandomValues] = [performance.now, Date.now, crypto.getRandomValues];
  const chance = new Draws(seed, 3);
  const world = new World(() => new Promise((resolve) => setImmediate(resolve)));
  const start = (run: Callback, ms: number, args: unknown[], again: boolean): SimulatedTimer => {
    const timer = new SimulatedTimer();
    const { current } = world;
    const plan = (): void => {
      timer.entry = world.after(Math.max(1, ms), current, () => {
        if (again) plan();
        run(...args);
      });
    };
    plan();
    return timer;
  };
  const end = (timer: unknown): void => {
    if (timer instanceof SimulatedTimer && timer.entry) timer.entry.isCancelled = true;
  };
  const simulated = {
    setTimeout: (run: Callback, ms = 0, ...args: unknown[]) => start(run, ms, args, false),
    setInterval: (run: Callback, ms = 0, ...args: unknown[]) => start(run, ms, args, true),
    clearTimeout: end,
    clearInterval: end,
  };
  Object.assign(globalThis, simulated);
  simulatedNow = world;
  performance.now = () => world.nowMs;
  Date.now = () => BEGINNING_MS + Math.floor(world.nowMs);
  crypto.getRandomValues = ((into: Uint32Array) => {
    for (let at = 0; at < into.length; at++) into[at] = chance.word();
    return into;
  }) as typeof crypto.getRandomValues;
  try {
    return await act(world);
  } finally {
    simulatedNow = undefined;
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
    performance.now = now;
    Date.now = dateNow;
    crypto.getRandomValues = getRandomValues;
  }
}
