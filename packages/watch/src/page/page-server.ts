/** Serves the page and follows its viewers: one port, one connection each. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Door, isLoopbackHost, makeServer, openPort } from '@lockstep/core/door';
import { LockstepError } from '@lockstep/core/errors';
import type { RunControl } from '@lockstep/core/seams';
import { type WebSocket, WebSocketServer } from 'ws';
import { Access } from './access.js';
import { type ChronicleSource, Feed } from './feed.js';
import { Offenders } from './offenders.js';
import { type PageFile, pageHeaders, readPageFiles } from './page-files.js';
import { PeersFeed } from './peers-feed.js';
import { Viewer, viewerLimits } from './viewer.js';

export interface PageOptions {
  /** The flag that names host and port, for errors. */
  readonly flag: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Asked of whoever opens the page; without one the page is for this machine alone. */
  readonly token?: Uint8Array | undefined;
  /** By name; of more than one the page compares the curves. */
  readonly runs: readonly { readonly name: string; readonly source: ChronicleSource }[];
  /** Takes a line for the person who has opened the page. */
  readonly tell?: ((line: string) => void) | undefined;
  /** What the page's buttons press. */
  readonly control?: RunControl | undefined;
  /** Answers paths that are not the page's; returns whether it did. */
  readonly answer?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

/** How often viewers are told what is new; many of them less often, so that they take no more of the run's time. */
const UPDATE_MS = 500;
const UPDATE_MS_PER_VIEWER = 25;
const MOST_VIEWERS = 128;
/** For a connection from an address that is shut out. */
const SILENCE_MS = 3000;
/** For what was sent last to leave. */
const CLOSING_MS = 1000;

export class PageServer {
  readonly #access: Access;
  readonly #feeds: readonly Feed[];
  readonly #peers: PeersFeed;
  readonly #files = readPageFiles();
  readonly #headers = pageHeaders(this.#files);
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #door: Door;
  readonly #viewers = new Set<Viewer>();
  readonly #offenders = new Offenders();
  #timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: PageOptions) {
    this.#feeds = options.runs.map(({ name, source }, index) => new Feed(index, name, source));
    this.#peers = new PeersFeed(options.control);
    this.#access = new Access(options.token, isLoopbackHost(options.host), options.tell);
    const { server, door } = makeServer((request, response) => this.#answer(request, response));
    this.#http = server;
    this.#door = door;
    this.#http.on('clientError', (error: ClientError, socket) => {
      if (this.#isShutOut(socket as Socket)) return;
      if (!canPageCause(error)) this.#blame(socket as Socket);
      socket.destroy();
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: viewerLimits.messageBytes,
      perMessageDeflate: false,
    });
    this.#http.on('upgrade', (request, socket, firstBytes) => {
      if (this.#isShutOut(request.socket)) return;
      if (request.url !== '/run' || this.#access.refuse(request) || this.#viewers.size >= MOST_VIEWERS) {
        socket.destroy();
        return;
      }
      this.#sockets.handleUpgrade(request, socket, firstBytes, (webSocket) => this.#welcome(webSocket, request.socket));
    });
  }

  /**
   * Opens the port.
   *
   * @throws LockstepError LOCKSTEP_DASHBOARD_TOKEN when other machines could look on without a token,
   *   LOCKSTEP_DASHBOARD_PORT when the port cannot be had
   */
  static async open(options: PageOptions): Promise<PageServer> {
    if (options.token === undefined && !isLoopbackHost(options.host)) {
      throw new LockstepError(
        'LOCKSTEP_DASHBOARD_TOKEN',
        `${options.flag} ${options.host}:${options.port} lets other machines see the run and press its buttons, so it needs --token-file. To stay on this machine, leave the host out.`,
      );
    }
    const server = new PageServer(options);
    await server.#listen();
    return server;
  }

  /** `http://127.0.0.1:7410/`. */
  get url(): string {
    const { port } = this.#http.address() as AddressInfo;
    const { host } = this.options;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
  }

  /** For the one who may look: the same, with the key where there is one. */
  get address(): string {
    const { key } = this.#access;
    return `${this.url}${key === undefined ? '' : `#key=${key}`}`;
  }

  async #listen(): Promise<void> {
    await openPort(this.#http, this.options, (trouble) => {
      const text = `cannot show the page at ${trouble}. Choose another ${this.options.flag} PORT; 0 takes any free one.`;
      return new LockstepError('LOCKSTEP_DASHBOARD_PORT', text);
    });
  }

  /**
   * Whether a connection comes from an address that broke too many rules, and from which nobody looks on. It is then neither
   * answered nor closed for a while: who waits for it cannot come back at once.
   */
  #isShutOut(socket: Socket): boolean {
    for (const viewer of this.#viewers) if (viewer.isAdmitted && viewer.address === socket.remoteAddress) return false;
    if (!this.#offenders.isShutOut(socket.remoteAddress ?? '', performance.now())) return false;
    const timer = setTimeout(() => socket.destroy(), SILENCE_MS);
    socket.on('close', () => clearTimeout(timer));
    return true;
  }

  #blame({ remoteAddress }: Socket): void {
    // an address that is gone already is nobody's
    if (remoteAddress !== undefined) this.#offenders.add(remoteAddress, performance.now());
  }

  #welcome(socket: WebSocket, pipe: Socket): void {
    const viewer = new Viewer(socket, this.#access, this.#feeds, {
      control: this.options.control,
      peers: this.#peers,
      address: pipe.remoteAddress ?? '',
      port: pipe.remotePort ?? 0,
      onOffence: () => this.#blame(pipe),
      onAdmitted: () => this.#door.know(pipe),
    });
    this.#viewers.add(viewer);
    this.#timer ??= this.#plan();
    socket.on('close', () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    });
  }

  #plan(): NodeJS.Timeout {
    return setTimeout(
      () => {
        this.#update();
        this.#timer = this.#plan();
      },
      Math.max(UPDATE_MS, UPDATE_MS_PER_VIEWER * this.#viewers.size),
    );
  }

  #update(): void {
    const now = performance.now();
    if (this.#viewers.size > 0) this.#peers.look();
    for (const viewer of this.#viewers) viewer.update(now);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isShutOut(request.socket)) return;
    const refusal = this.#access.refuse(request);
    if (refusal === undefined && this.options.answer?.(request, response)) return;
    const [status, file] = refusal === undefined ? this.#find(request) : [403, textFile(refusal)];
    response.writeHead(status, { ...this.#headers, 'content-type': file.type });
    response.end(file.body);
  }

  #find({ method, url = '/' }: IncomingMessage): [status: number, file: PageFile] {
    if (method !== 'GET' && method !== 'HEAD') return [405, textFile('this page is read with GET')];
    const [path = '/'] = url.split('?');
    const file = this.#files.get(path);
    return file ? [200, file] : [404, textFile('nothing is here')];
  }

  /** Tells the viewers the last of it, and closes the port. */
  async close(): Promise<void> {
    this.#update();
    clearTimeout(this.#timer);
    for (const viewer of this.#viewers) viewer.leave();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#door.close();
      }, CLOSING_MS);
      this.#http.close(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#http.closeIdleConnections();
    });
  }
}

const textFile = (text: string): PageFile => ({ type: 'text/plain; charset=utf-8', body: Buffer.from(`${text}\n`) });

interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/** First byte of a TLS connection: a browser that was told https. */
const TLS_HANDSHAKE = 0x16;

/** Whether a web page of somebody else can make a browser send this: then it says nothing against the address. */
const canPageCause = ({ code, rawPacket }: ClientError): boolean =>
  code === 'HPE_HEADER_OVERFLOW' || rawPacket?.[0] === TLS_HANDSHAKE;
