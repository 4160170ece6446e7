/** The system's Chromium, for tests that look at pages in it. */
import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];

export const isBrowserRequired = process.env['LOCKSTEP_REQUIRE_BROWSER'] === '1';

/** Undefined where there is none. */
export const browserPath =
  process.env['LOCKSTEP_BROWSER'] ?? NAMES.map(findProgram).find((found) => found !== undefined);

export const lookedFor = `looked for ${NAMES.join(', ')}`;

/** For the name of tests that are skipped. */
export const whyNoBrowser =
  browserPath === undefined ? ' (skipped: no Chromium here; install one or set LOCKSTEP_BROWSER)' : '';

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: browserPath as string, args: ['--no-sandbox'] });

function findProgram(name: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
