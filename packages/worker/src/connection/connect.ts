/** A connection to a listening node: to the coordinator, or to another node of a mesh. */
import { LockstepError } from '@lockstep/core/errors';
import { Link, type LinkTimings, MAX_FRAME_BYTES, type Socket } from '@lockstep/core/wire';
import { WebSocket } from 'ws';

export interface ConnectOptions {
  readonly timings: LinkTimings;
  /** Certificate authority in PEM that a wss server must have its certificate from. */
  readonly ca?: Uint8Array | undefined;
}

const CONNECT_MS = 5000;

/**
 * Connects.
 *
 * @throws LockstepError LOCKSTEP_CONNECT with why it does not work
 */
export async function connect(url: string, { timings, ca }: ConnectOptions): Promise<Link> {
  const socket = new WebSocket(url, {
    handshakeTimeout: CONNECT_MS,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    // Masks protect proxies from scripts in browsers; a mask of zeros lets the bytes be sent as they are.
    generateMask: (mask: Buffer) => mask.fill(0),
    ...(ca && { ca: Buffer.from(ca) }),
  });
  socket.binaryType = 'fragments';
  // frames may come with the very bytes that open the connection
  const link = new Link(socket as unknown as Socket, 'caller', url, timings);
  socket.once('upgrade', (response) => (link.pipe = response.socket));
  await new Promise<void>((resolve, reject) => {
    link.onClose = (reason) => reject(explain(url, reason.text));
    socket.once('open', () => resolve());
  });
  return link;
}

function explain(url: string, text: string): LockstepError {
  const hints: readonly (readonly [RegExp, string])[] = [
    [/ECONNREFUSED/, 'Nothing listens there: is the coordinator started, with --listen and this port?'],
    [/ENOTFOUND|EAI_AGAIN/, 'The name is not known here: try the address.'],
    [/timed? ?out|ETIMEDOUT|EHOSTUNREACH/i, 'Nothing answers there: is a firewall in between?'],
    [
      /certificate|self[- ]signed|CERT_|altname/i,
      'Give the certificate of the coordinator, or its authority, with --tls-ca.',
    ],
    [/EPROTO|wrong version|SSL/i, 'One side speaks TLS and the other does not: compare ws:// and wss://.'],
  ];
  const hint = hints.find(([pattern]) => pattern.test(text))?.[1] ?? '';
  return new LockstepError('LOCKSTEP_CONNECT', `cannot connect to ${url}: ${text}. ${hint}`.trim());
}
