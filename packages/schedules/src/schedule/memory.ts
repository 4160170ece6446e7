/** What machines keep of others, and for others, looked at when an event has come to rest: the two ends of what is sent. */
import { COORDINATOR_ID } from '@lockstep/core/seams';
import type { Keeping } from '../machines/node.js';
import { datasetBytes } from '../machines/run.js';
import type { SimulatedSocket } from '../network/simulated-socket.js';
import type { Machine } from '../world/machine.js';
import type { Witness } from './witness.js';

/** Vectors of a state, its optimizer's slots and its average: those of the recipe that has most. */
const STATE_VECTORS = 4;

/** @param keeping who takes part in steps */
export function seeMemory(
  keeping: ReadonlyMap<Machine, Keeping>,
  sockets: Iterable<SimulatedSocket>,
  witness: Witness,
): void {
  for (const [{ name }, { kept }] of keeping) witness.seeKept(name, kept);
  for (const { machine, payloadBytes } of sockets) {
    const participant = payloadBytes > 0 && machine.isHonest && keeping.get(machine);
    if (participant) witness.seeSent(machine.name, payloadBytes, participant.mostSent + mostBeside(participant));
  }
}

/** A state and the data come from the coordinator. */
function mostBeside({ me, parts }: Keeping): number {
  return me === COORDINATOR_ID ? 4 * STATE_VECTORS * parts.layout.length + datasetBytes : 0;
}
