/** For tests: real HTTP servers on 127.0.0.1 that behave like good and bad mirrors. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PackedFile } from './test-mnist.js';

export interface Mirror {
  /** Ends with a slash. */
  readonly url: string;
  /** Names that were asked for, in order. */
  readonly requests: readonly string[];
}

/** Servers started by a test; `close` them after it. */
export class Mirrors {
  readonly #servers: Server[] = [];

  async start(answer: RequestListener): Promise<Mirror> {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push((request.url ?? '').slice(1));
      answer(request, response);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
  }

  /** The address of a mirror that is not there: nothing listens on its port any more. */
  async startNone(): Promise<string> {
    const { url } = await this.start(() => {});
    await this.#stop(this.#servers.pop());
    return url;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => this.#stop(server)));
  }

  async #stop(server: Server | undefined): Promise<void> {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  }
}

/** Sends the packed files by name, 404 otherwise. */
export function serve(files: readonly PackedFile[]): RequestListener {
  return (request, response) => {
    const file = files.find(({ name }) => request.url === `/${name}`);
    if (file === undefined) return void response.writeHead(404).end('no such file');
    response.writeHead(200, { 'content-length': file.packed.length }).end(file.packed);
  };
}
