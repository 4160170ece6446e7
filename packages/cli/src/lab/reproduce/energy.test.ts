import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EnergyMeter } from './energy.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-energy-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function writePackage(name: string, microjoules: number): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'energy_uj'), `${microjoules}\n`);
  writeFileSync(join(folder, name, 'max_energy_range_uj'), '10000000\n');
}

describe('EnergyMeter', () => {
  it('adds up packages, without their parts', () => {
    for (const name of ['intel-rapl:0', 'intel-rapl:0:0', 'intel-rapl:1']) writePackage(name, 1_000_000);
    const meter = EnergyMeter.open(folder);
    for (const name of ['intel-rapl:0', 'intel-rapl:0:0', 'intel-rapl:1']) writePackage(name, 3_500_000);
    expect(meter?.read()).toBe(5);
    expect(meter?.read()).toBe(0);
  });

  it('goes on counting when a counter starts from 0 again', () => {
    writePackage('intel-rapl:0', 9_000_000);
    const meter = EnergyMeter.open(folder);
    writePackage('intel-rapl:0', 500_000);
    expect(meter?.read()).toBe(1.5);
  });

  it.each(['', 'missing'])('is undefined where the machine has no counters (%s)', (name) => {
    expect(EnergyMeter.open(join(folder, name))).toBeUndefined();
  });
});
