/** What is around: the dataset in the cache, and a port for other machines. */
import { accessSync, constants, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { loadMnist } from '@lockstep/core/data/mnist';
import { describePortFailure } from '@lockstep/core/door';
import { findCacheFolder } from '@lockstep/core/files';
import type { Finding } from './finding.js';

/** Reads MNIST as a run would, without touching the network. */
export async function checkDataset(): Promise<Finding> {
  const name = 'dataset cache';
  const folder = join(findCacheFolder(), 'mnist');
  const warnings: string[] = [];
  const dataset = await loadMnist({ offline: true, onWarning: ({ message }) => warnings.push(message) });
  if (warnings.length > 0) {
    return {
      name,
      verdict: 'notice',
      text: warnings.join(' '),
      cost: 'MNIST is downloaded again (11.6 MB) where there is a network',
      fix: `delete what is wrong in ${folder}; the next run fetches it`,
    };
  }
  if (dataset.name === 'mnist') return { name, verdict: 'good', text: `MNIST, 60,000 + 10,000 images, in ${folder}` };
  return {
    name,
    verdict: 'notice',
    text: `${folder} has no MNIST`,
    cost: 'the first run downloads 11.6 MB; without a network it trains on 10,000 embedded digits, to lower accuracy',
    fix: 'lockstep train with a network once, or --data with a folder that has the four files',
  };
}

/** Whether the cache folder can be written, or made; makes nothing. */
export function checkCacheFolder(folder: string = findCacheFolder()): Finding {
  const name = 'cache folder';
  try {
    accessSync(findExisting(folder), constants.W_OK);
    return { name, verdict: 'good', text: folder };
  } catch (error) {
    return {
      name,
      verdict: 'notice',
      text: `${folder} cannot be written: ${(error as NodeJS.ErrnoException).code}`,
      cost: 'datasets are downloaded again for each run, and the tensorflow engine cannot be set up',
      fix: 'set LOCKSTEP_CACHE to a folder that can be written',
    };
  }
}

const findExisting = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : findExisting(dirname(path));

/** Whether a coordinator could listen here. */
export async function checkPort(host: string, port: number): Promise<Finding> {
  const name = 'port';
  const where = `${host}:${port}`;
  try {
    await listenOnce(host, port);
    return {
      name,
      verdict: 'good',
      text: `${where} is free for a coordinator; whether a firewall lets others in cannot be seen from here`,
    };
  } catch (error) {
    const reason = describePortFailure(error as NodeJS.ErrnoException);
    return {
      name,
      verdict: 'notice',
      text: `${where}: ${reason}`,
      cost: 'a coordinator cannot listen there; training on this machine alone needs no port',
      fix: 'end that program, or give --listen another port; below 1024 they need rights',
    };
  }
}

function listenOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}
