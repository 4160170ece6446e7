/** Energy that the processor counts itself (RAPL: Linux, Intel and AMD; reading it may need root). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const POWERCAP = '/sys/class/powercap';
const MICROJOULES = 1e6;

interface Package {
  readonly file: string;
  /** The counter starts from 0 again after this, in microjoules. */
  readonly range: number;
}

/** Sums the joules of all processor packages since it was made or last read. */
export class EnergyMeter {
  readonly #packages: readonly Package[];
  #last: number[];

  private constructor(packages: readonly Package[]) {
    this.#packages = packages;
    this.#last = packages.map(({ file }) => readNumber(file));
  }

  /** Undefined where the machine does not tell. */
  static open(folder = POWERCAP): EnergyMeter | undefined {
    try {
      // intel-rapl:0 is a package, intel-rapl:0:1 a part of it; AMD's counters have these names too
      const names = readdirSync(folder).filter((name) => /^intel-rapl:\d+$/.test(name));
      const packages = names.map((name) => ({
        file: join(folder, name, 'energy_uj'),
        range: readNumber(join(folder, name, 'max_energy_range_uj')),
      }));
      return packages.length === 0 ? undefined : new EnergyMeter(packages);
    } catch {
      return undefined;
    }
  }

  /** Joules since the last reading. To be read at least once in the minutes that a counter takes to go round. */
  read(): number {
    const now = this.#packages.map(({ file }) => readNumber(file));
    const deltas = now.map((value, i) => {
      const delta = value - (this.#last[i] as number);
      return delta >= 0 ? delta : delta + (this.#packages[i] as Package).range;
    });
    this.#last = now;
    return deltas.reduce((sum, delta) => sum + delta, 0) / MICROJOULES;
  }
}

function readNumber(file: string): number {
  const value = Number(readFileSync(file, 'utf8'));
  if (!Number.isFinite(value)) throw new Error(`${file} holds no number`);
  return value;
}
