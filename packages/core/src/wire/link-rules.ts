/** What a WebSocket server for links lets in: frames of their size in few pieces, and no web page. */
import { refuseForeignPage } from '../door/door.js';
import { MAX_FRAME_BYTES } from './frames.js';

/**
 * Options of ws' `WebSocketServer`, besides its http server.
 *
 * @param isLocal whether the port is for this machine alone, without a secret
 */
export const linkServerRules = (isLocal: boolean) => ({
  maxPayload: MAX_FRAME_BYTES,
  maxFragments: 16,
  maxBufferedChunks: 4096,
  perMessageDeflate: false,
  // nodes are no web pages
  verifyClient: ({ req }: { readonly req: Parameters<typeof refuseForeignPage>[0] }): boolean =>
    refuseForeignPage(req, { isLocal, ownOrigin: false }) === undefined,
});
