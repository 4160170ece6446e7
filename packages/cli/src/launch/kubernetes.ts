/**
 * An Indexed Job of Kubernetes, or a JobSet with one such job. The pod of index 0 is reached by its host name under the
 * headless service that is the pods' `subdomain` (kubernetes.io/docs/tasks/job/job-with-pod-to-pod-communication).
 * How many pods there are is in no variable: the manifest passes LOCKSTEP_SIZE.
 */
import { readFileSync } from 'node:fs';
import { DEFAULT_PORT, type Environment, type Launcher } from './place.js';
import { findVariable, own, readText, readWhole, variableError } from './variables.js';

const CONTEXT = "Kubernetes' JOB_COMPLETION_INDEX is set";

export const kubernetes: Launcher = {
  name: 'kubernetes',
  title: 'Kubernetes',
  signs: ['JOB_COMPLETION_INDEX'],
  isPresent: (env) => env['JOB_COMPLETION_INDEX'] !== undefined,
  readPlace(env) {
    return {
      rank: readWhole(env, CONTEXT, own('RANK'), 'JOB_COMPLETION_INDEX'),
      size: readWhole(env, CONTEXT, own('SIZE')),
      // a pod has its cores to itself
      localRank: 0,
      localSize: 1,
      host: env[own('COORDINATOR')] === undefined ? findFirstPod(env, readHostsFile()) : undefined,
      port: DEFAULT_PORT,
    };
  },
  addressHint: 'Set LOCKSTEP_SERVICE to the headless service that is the subdomain of the pods.',
};

/**
 * The name of index 0's pod: this pod's own with another index, and the service behind it.
 *
 * @param hosts /etc/hosts, in which the kubelet writes `10.1.0.7 job-2.service.namespace.svc.cluster.local job-2`
 */
export function findFirstPod(env: Environment, hosts: string): string {
  const pod = readText(env, CONTEXT, 'HOSTNAME');
  const [, job] = /^(.*)-\d+$/.exec(pod) ?? [];
  if (job === undefined)
    throw variableError(
      `HOSTNAME is ${JSON.stringify(pod)}, and must be that of a pod of an Indexed Job, such as train-2.`,
    );
  const service = findVariable(env, own('SERVICE'), 'JOBSET_NAME');
  const domain = service === undefined ? findDomain(pod, hosts) : env[service];
  if (domain !== undefined) return `${job}-0.${domain}`;
  throw variableError(
    `${CONTEXT}, but LOCKSTEP_SERVICE is not, and /etc/hosts does not tell the service either. ${kubernetes.addressHint}`,
  );
}

/** What stands behind the pod's name in the line of its own address. */
function findDomain(pod: string, hosts: string): string | undefined {
  const names = hosts.split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1));
  return names.find((name) => name.startsWith(`${pod}.`))?.slice(pod.length + 1);
}

function readHostsFile(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8');
  } catch {
    return '';
  }
}
