/** The Dockerfile, as far as it can be checked without an engine: hadolint, and what a parser of Dockerfiles reads. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { clusterProgram, describeCluster, findMissing, SETUP_COMMAND } from '../support/clusters-availability.ts';

const DOCKERFILE = path.resolve(import.meta.dirname, '../../Dockerfile');
const hadolint = clusterProgram('hadolint');

interface Instruction {
  readonly instruction: string;
  readonly value: string;
}

/** Read by PyPI's dockerfile-parse, which stands in hadolint's folder. */
function readStages(): Instruction[][] {
  const script =
    'import json, sys; from dockerfile_parse import DockerfileParser as P; print(json.dumps(P(sys.argv[1]).structure))';
  const python = path.join(path.dirname(hadolint), 'python');
  const text = execFileSync(python, ['-c', script, DOCKERFILE], { encoding: 'utf8' });
  const stages: Instruction[][] = [];
  for (const instruction of JSON.parse(text) as Instruction[]) {
    if (instruction.instruction === 'FROM') stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

describeCluster('The Dockerfile', findMissing([hadolint], SETUP_COMMAND), () => {
  it('passes hadolint', () => {
    const { status, stdout } = spawnSync(hadolint, ['--failure-threshold', 'info', DOCKERFILE], { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
  });

  it('has a stage that builds, and one that runs what it has built, without a compiler, as nobody special', () => {
    const [build = [], final = [], ...others] = readStages();
    expect(others).toEqual([]);
    const values = (stage: Instruction[], name: string) =>
      stage.filter(({ instruction }) => instruction === name).map(({ value }) => value);
    expect(values(build, 'FROM')).toEqual([expect.stringMatching(/ AS build$/)]);
    expect(values(build, 'RUN').join('\n')).toContain('npm run build && npm ci --omit=dev --workspace packages/cli');
    expect(values(final, 'COPY')).toEqual(['--from=build /app /app']);
    expect(values(final, 'RUN').join('\n')).not.toContain('g++');
    expect(values(final, 'USER')).toEqual(['1000:1000']);
    expect(JSON.parse(values(final, 'ENTRYPOINT')[0] ?? '[]')).toEqual([
      'tini',
      '--',
      'node',
      '/app/packages/cli/dist/bin.js',
    ]);
  });
});
