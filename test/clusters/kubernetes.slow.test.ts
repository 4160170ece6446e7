/** The manifests of deploy/, rendered by the real kustomize and helm, and checked against the schemas of Kubernetes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { findLauncher } from '../../packages/cli/dist/launch/launchers.js';
import { clusterProgram, describeCluster, findMissing, SETUP_COMMAND } from '../support/clusters-availability.ts';

const DEPLOY = path.resolve(import.meta.dirname, '../../deploy');
const CHART = path.join(DEPLOY, 'helm', 'lockstep');
const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-kubernetes-'));
const missing = findMissing(['kustomize', 'helm', 'kubernetes-validate'].map(clusterProgram), SETUP_COMMAND);

vi.setConfig({ testTimeout: 180_000 });
afterAll(() => rmSync(folder, { recursive: true }));

/** What the tests read of a manifest; the schemas check the rest. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly spec: Record<string, unknown>;
  readonly data?: Record<string, string>;
}
interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface PodSpec {
  readonly subdomain: string;
  readonly securityContext: object;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}
interface JobSpec {
  readonly completionMode: string;
  readonly completions: number;
  readonly parallelism: number;
  readonly template: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: PodSpec };
}

class Rendered {
  readonly manifests: readonly Manifest[];

  constructor(readonly text: string) {
    this.manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  }

  get(kind: string): Manifest {
    const found = this.manifests.find((manifest) => manifest.kind === kind);
    expect(found, `a ${kind}`).toBeDefined();
    return found as Manifest;
  }

  get job(): JobSpec {
    return this.get('Job').spec as unknown as JobSpec;
  }

  get pod(): PodSpec {
    return this.job.template.spec;
  }

  get container(): Container {
    return this.pod.containers[0];
  }

  /** The variables of the container, as Kubernetes would set them in the pod of an index. */
  env(index: number): Record<string, string> {
    const given = this.container.env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
    const pod = `${this.get('Job').metadata.name}-${index}`;
    return { ...Object.fromEntries(given), JOB_COMPLETION_INDEX: String(index), HOSTNAME: pod };
  }
}

function renderBase(): Rendered {
  const base = path.join(folder, 'base');
  cpSync(path.join(DEPLOY, 'kubernetes'), base, { recursive: true });
  writeFileSync(path.join(base, 'token'), 'a secret for the tests');
  return new Rendered(execFileSync(clusterProgram('kustomize'), ['build', base], { encoding: 'utf8' }));
}

function renderChart(...values: readonly string[]): Rendered {
  const sets = values.flatMap((value) => ['--set', value]);
  const args = ['template', 'run', CHART, '--namespace', 'training', '--kube-version', '1.33.0', ...sets];
  return new Rendered(execFileSync(clusterProgram('helm'), args, { encoding: 'utf8' }));
}

function expectValid({ text }: Rendered): void {
  const file = path.join(folder, 'rendered.yaml');
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(clusterProgram('kubernetes-validate'), ['--strict', file], {
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

/** What holds for both: the run is whole, and its parts find each other. */
function expectOneRun(rendered: Rendered, nodes: number): void {
  const { job, pod, container } = rendered;
  expect([job.completionMode, job.completions, job.parallelism]).toEqual(['Indexed', nodes, nodes]);
  const service = rendered.get('Service');
  expect(service.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  expect(pod.subdomain).toBe(service.metadata.name);
  expect(job.template.metadata.labels).toMatchObject(service.spec['selector'] as object);
  const budget = rendered.manifests.find(({ kind }) => kind === 'PodDisruptionBudget')?.spec;
  const matchLabels = service.spec['selector'];
  if (nodes > 1) expect(budget).toEqual({ minAvailable: nodes - 1, selector: { matchLabels } });
  else expect(budget).toBeUndefined();
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
  expect(container.securityContext).toMatchObject({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
  expect(container.resources.requests).toMatchObject({ cpu: expect.anything(), memory: expect.anything() });
  expect(container.livenessProbe.httpGet.path).toBe('/healthz');
  expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  const mount = container.volumeMounts.find(({ name }) => name === 'token')?.mountPath;
  expect(rendered.env(0)['LOCKSTEP_TOKEN_FILE']).toBe(`${mount}/token`);
  for (let index = 0; index < nodes; index++) {
    const place = findLauncher(rendered.env(index), undefined).readPlace(rendered.env(index));
    expect(place).toMatchObject({ rank: index, size: nodes, port: 7400 });
    expect(place.host).toBe(`${rendered.get('Job').metadata.name}-0.${service.metadata.name}`);
  }
}

describeCluster('Kubernetes', missing, () => {
  it('kustomize: the base is valid, and is one run of three pods', () => {
    const rendered = renderBase();
    expectValid(rendered);
    expectOneRun(rendered, 3);
    const secret = rendered.get('Secret');
    expect(Buffer.from(secret.data?.['token'] ?? '', 'base64').toString()).toBe('a secret for the tests');
    expect(rendered.pod.volumes.find(({ name }) => name === 'token')?.secret?.secretName).toBe(secret.metadata.name);
  });

  it('kustomize: without a secret there is nothing to apply', () => {
    expect(existsSync(path.join(DEPLOY, 'kubernetes', 'token')), 'a secret in the repository').toBe(false);
    const { status, stderr } = spawnSync(clusterProgram('kustomize'), ['build', path.join(DEPLOY, 'kubernetes')], {
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('token');
  });

  describe('helm', () => {
    it('lint finds nothing', () => {
      const { status, stdout } = spawnSync(clusterProgram('helm'), ['lint', '--strict', CHART], { encoding: 'utf8' });
      expect(status, stdout).toBe(0);
    });

    it('the chart is valid as it is, and makes up a secret', () => {
      const rendered = renderChart();
      expectValid(rendered);
      expectOneRun(rendered, 3);
      const token = Buffer.from(rendered.get('Secret').data?.['token'] ?? '', 'base64').toString();
      expect(token).toMatch(/^\w{48}$/);
    });

    it('takes image, nodes, workers, model, flags and secret', () => {
      const rendered = renderChart(
        'image.repository=registry.example/lockstep',
        'image.tag=1.2.3',
        'nodes=5',
        'workers=4',
        'model=net19k',
        'args={--epochs,2,--topology,mesh}',
        'token.existingSecret=mine',
        'resources.limits.cpu=8',
      );
      expectValid(rendered);
      expectOneRun(rendered, 5);
      const { image, args } = rendered.container;
      expect(image).toBe('registry.example/lockstep:1.2.3');
      expect(args.slice(0, 6)).toEqual(['launch', 'net19k', '--epochs', '2', '--topology', 'mesh']);
      expect(rendered.env(0)['LOCKSTEP_WORKERS']).toBe('4');
      expect(rendered.manifests.some(({ kind }) => kind === 'Secret')).toBe(false);
      expect(rendered.pod.volumes.find(({ name }) => name === 'token')?.secret?.secretName).toBe('mine');
    });

    it('takes a secret in plain, and a single pod without a place for checkpoints', () => {
      const rendered = renderChart('token.value=a secret', 'nodes=1', 'checkpoints.enabled=false');
      expectValid(rendered);
      expectOneRun(rendered, 1);
      expect(rendered.manifests.map(({ kind }) => kind).sort()).toEqual(['Job', 'Secret', 'Service']);
      expect(rendered.container.args).toContain('--no-save');
    });

    it.each(['nodes=0', 'nodes=three', 'token.value=short', 'model='])('refuses %s', (value) => {
      expect(() => renderChart(value)).toThrow(/schema/);
    });
  });
});
