/** What is beneath a link, which is given it, so that the wire needs no socket of its own. */

/** What a link needs of a WebSocket (ws's fits), with `binaryType` 'fragments'. */
export interface Socket {
  /** 0 until the connection is open, see WHATWG's WebSocket. */
  readonly readyState: number;
  /** Bytes that were given to it and have not left. */
  readonly bufferedAmount: number;
  send(data: Uint8Array, options: { binary: boolean; fin: boolean }, done?: (error?: Error) => void): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'message', handler: (data: unknown, isBinary: boolean) => void): unknown;
  on(event: 'ping' | 'pong', handler: () => void): unknown;
  on(event: 'close', handler: (code: number, reason: Buffer) => void): unknown;
  on(event: 'error', handler: (error: Error) => void): unknown;
}

/** What is beneath a WebSocket: frames that are sent while it is corked leave together. */
export interface Pipe {
  /** Bytes that have come so far. */
  readonly bytesRead: number;
  cork(): void;
  uncork(): void;
}
