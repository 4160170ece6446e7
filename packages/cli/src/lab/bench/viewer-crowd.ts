/** Who may stand before a run's page while it is measured: nobody, one viewer, many, one that stalls, one that sends rubbish. */
import { proveView } from '@lockstep/watch/page';
import { WebSocket } from 'ws';

export const crowds = ['nobody', 'one viewer', '50 viewers', 'a stalled viewer', 'a sender of rubbish'] as const;
export type Crowd = (typeof crowds)[number];

export interface Gathered {
  leave(): void;
}

const MANY = 50;
/** Between two messages of a sender of rubbish; it comes back when it is thrown out. */
const RUBBISH_MS = 10;

/** Resolves when they are there. @param page its address, with the key */
export async function gather(crowd: Crowd, page: string): Promise<Gathered> {
  switch (crowd) {
    case 'nobody':
      return { leave: () => {} };
    case 'a sender of rubbish':
      return sendRubbish(page);
    default: {
      const viewers = await Promise.all(Array.from({ length: crowd === '50 viewers' ? MANY : 1 }, () => view(page)));
      // takes nothing more from its connection: what is sent to it stays with the sender
      if (crowd === 'a stalled viewer') for (const viewer of viewers) viewer.pause();
      return { leave: () => viewers.forEach((viewer) => void viewer.terminate()) };
    }
  }
}

/** Of the page at this address, which ends in its key: a WebSocket's has none. */
function socketOf(page: string): URL {
  const { host } = new URL(page);
  return new URL(`ws://${host}/run`);
}

const connect = (page: string): WebSocket => new WebSocket(socketOf(page));

/** A viewer that is let in; it throws away what it is sent. */
async function view(page: string): Promise<WebSocket> {
  const key = new URL(page).hash.replace('#key=', '');
  const socket = connect(page);
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the page let a viewer go')));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { hello?: { nonce: string }; welcome?: object };
      if (message.hello) socket.send(JSON.stringify({ proof: proveView(Buffer.from(key), message.hello.nonce) }));
      if (!message.welcome) return;
      socket.removeAllListeners('message');
      resolve();
    });
  });
  return socket;
}

function sendRubbish(page: string): Gathered {
  let socket: WebSocket | undefined;
  const timer = setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN) socket.send('{"ask":["pause"]}'.repeat(20));
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) {
      socket = connect(page);
      socket.on('error', () => {});
    }
  }, RUBBISH_MS);
  return {
    leave: () => {
      clearInterval(timer);
      socket?.terminate();
    },
  };
}
