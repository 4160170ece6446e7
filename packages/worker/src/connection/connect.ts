/** A connection to a listening node: to the coordinator, or to another node of a mesh. */
import { LockstepError } from '@lockstep/core/errors';
import { Link, type LinkTimings, MAX_FRAME_BYTES, type Socket } from '@lockstep/core/wire';
import { type ClientOptions, WebSocket } from 'ws';

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
  const socket = openSocket(url, {
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

/** Addresses come from others too: what is no URL at all is thrown at once. */
function openSocket(url: string, options: ClientOptions): WebSocket {
  try {
    return new WebSocket(url, options);
  } catch (error) {
    throw explain(url, (error as Error).message);
  }
}

function explain(url: string, reason: string): LockstepError {
  // the connection's own words begin with its address, and those of OpenSSL end with a line break
  const text = (reason.startsWith(`${url}: `) ? reason.slice(url.length + 2) : reason)
    .replace(/\s+/g, ' ')
    .replace(/[\s.:]+$/, '');
  const hints: readonly (readonly [RegExp, string])[] = [
    [/ECONNREFUSED/, 'Nothing listens there: is the coordinator started, with --listen and this port?'],
    [/ENOTFOUND|EAI_AGAIN/, 'The name is not known here: try the address.'],
    [/timed? ?out|ETIMEDOUT|EHOSTUNREACH/i, 'Nothing answers there: is a firewall in between?'],
    [/altname/i, 'The certificate is of other names: connect by one of them, or make one for this name.'],
    [/certificate|self[- ]signed|CERT_/i, 'Give the certificate of the coordinator, or its authority, with --tls-ca.'],
    [
      /EPROTO|wrong version|SSL|socket hang up|ECONNRESET/i,
      'One side may speak TLS and the other not: compare ws:// and wss://.',
    ],
    [
      /response: 40[13]/,
      'It takes no connection under this name, or none that a web page makes: without a token it is for its own machine, by 127.0.0.1 or localhost.',
    ],
  ];
  const hint = hints.find(([pattern]) => pattern.test(text))?.[1] ?? '';
  return new LockstepError('LOCKSTEP_CONNECT', `cannot connect to ${url}: ${text}. ${hint}`.trim());
}
