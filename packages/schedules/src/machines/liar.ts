/**
 * A node that has the token and says what is not so. What it says is made of what its node would have said, whatever that
 * is: numbers, texts and lists of a message are changed, floats beside it spoiled, old messages said again, others accused.
 * So new messages of the protocol are lied about without a line here.
 */
import { Link, type Message, type MessageOf } from '@lockstep/core/wire';
import type { Draws } from '../world/draws.js';

/** What is never changed: without it the lie would be noticed as none of a node's. */
const KEPT = new Set(['type']);
/** Of the handshake, in which a lie only keeps the liar out. */
const GREETINGS = new Set<Message['type']>(['hello', 'peer', 'peer-welcome', 'challenge', 'inquire', 'ready']);

const LIES = ['changes a field', 'spoils floats', 'says nothing', 'says an old thing again', 'accuses'] as const;
const AGAIN = 'says it two hundred times';
const AGAIN_TIMES = 200;
/** What a liar says far too often: what it says, or each of its sums, for as many attempts to come. */
export type Flood = 'again' | 'ahead';
const AHEAD_ATTEMPTS = 50;

export class LyingLink extends Link {
  #said: (readonly [Message, Uint8Array])[] = [];

  constructor(
    private readonly draws: Draws,
    /** Of all that it says. */
    private readonly share: number,
    private readonly floods: Flood | undefined,
    /** Is told of each lie. */
    private readonly onLie: (text: string) => void,
    ...args: ConstructorParameters<typeof Link>
  ) {
    super(...args);
  }

  override send(message: Message, payload: Uint8Array = new Uint8Array(0)): void {
    const { draws } = this;
    if (this.floods === 'ahead' && isSum(message)) this.#flood(message, payload);
    if (GREETINGS.has(message.type) || !draws.chance(this.share)) {
      super.send(message, payload);
      if (!GREETINGS.has(message.type)) this.#said = [...this.#said.slice(-8), [message, Uint8Array.from(payload)]];
      return;
    }
    const kind = draws.pick(this.floods === 'again' ? [...LIES, AGAIN] : LIES);
    this.onLie(`${kind}: ${message.type}`);
    if (kind === 'says nothing') return;
    if (kind === AGAIN) for (let times = 1; times < AGAIN_TIMES; times++) super.send(message, payload);
    const said = kind === 'changes a field' ? change(message, draws) : message;
    super.send(said, kind === 'spoils floats' ? spoil(payload, draws) : payload);
    const [old] = this.#said;
    if (kind === 'says an old thing again' && old) super.send(...old);
    if (kind === 'accuses' && 'generation' in message && 'step' in message) super.send(accuse(message, draws));
  }

  #flood(message: MessageOf<'partial' | 'reduced'>, payload: Uint8Array): void {
    this.onLie(`floods: ${message.type}`);
    for (let ahead = 1; ahead <= AHEAD_ATTEMPTS; ahead++)
      super.send({ ...message, generation: message.generation + ahead }, payload);
  }
}

const isSum = (message: Message): message is MessageOf<'partial' | 'reduced'> =>
  message.type === 'partial' || message.type === 'reduced';

function accuse({ step, generation }: { step: number; generation: number }, draws: Draws): Message {
  const code = draws.pick(['LOCKSTEP_NODE_NOT_FINITE', 'LOCKSTEP_NODE_CONTRIBUTION', 'LOCKSTEP_NODE_ORDER']);
  return { type: 'fault', step, generation, node: draws.below(5), code, text: 'it lies' };
}

/** Another value in one of the fields. */
function change(message: Message, draws: Draws): Message {
  const fields = Object.keys(message).filter((name) => !KEPT.has(name));
  if (fields.length === 0) return message;
  const name = draws.pick(fields);
  return { ...message, [name]: changed((message as Record<string, unknown>)[name], draws) } as Message;
}

function changed(value: unknown, draws: Draws): unknown {
  if (typeof value === 'number') return draws.pick([value + 1, Math.max(0, value - 1), 0, 2 * value, 1e6, -1]);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return draws.pick([value.replaceAll(/[0-9]/g, '0'), '', 'x'.repeat(100)]);
  if (Array.isArray(value)) return draws.pick([[], value.slice(1), [...value, ...value]]);
  return undefined;
}

/** Floats that are wrong in one place, or bytes that are too few. */
function spoil(payload: Uint8Array, draws: Draws): Uint8Array {
  if (payload.length < 8) return payload;
  const bytes = Uint8Array.from(payload);
  if (draws.chance(0.1)) return bytes.subarray(4);
  const floats = new Float32Array(bytes.buffer, 0, bytes.length >> 2);
  floats[draws.below(floats.length)] = draws.pick([Number.NaN, 1, 3e38, -3e38, 0]);
  return bytes;
}
