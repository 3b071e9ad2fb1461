import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import Fastify, { LogController } from 'fastify';
import { type Content, sendFile } from '../../../src/http/file/file-response.ts';
import type { SelectedRange } from '../../../src/http/file/range.ts';

export const MIB = 2 ** 20;

/** Returns the content of a file of a type that is sent unchanged. */
export function contentOf(bytes: Buffer, file: Partial<Content['file']> = {}): Content {
  const md5 = createHash('md5').update(bytes).digest('hex');
  const type = { mimeType: 'application/zip', isPrivate: false };
  const defaults = { filename: 'a.bin', ...type, updatedAt: new Date(0) };
  return {
    file: { ...defaults, md5, sizeBytes: bytes.length, ...file },
    read: async (range) => Readable.from(cut(bytes, range), { objectMode: false }),
  };
}

function* cut(bytes: Buffer, { start, end }: SelectedRange = { start: 0, end: bytes.length - 1 }) {
  for (let at = start; at <= end; at += 100_000) {
    yield bytes.subarray(at, Math.min(at + 100_000, end + 1));
  }
}

/** Creates a server that sends the content of `open` at every path. `onLog` gets its log lines, except of requests. */
export function serve(open: () => Promise<Content>, onLog?: (line: string) => unknown) {
  const server = Fastify(
    onLog && {
      logger: { stream: { write: onLog } },
      logController: new LogController({ disableRequestLogging: true }),
    },
  );
  server.all('/', (request, reply) => sendFile(request, reply, open));
  return server;
}

/** Lends the URL of such a server. */
export async function withListening<T>(
  open: () => Promise<Content>,
  work: (url: string) => Promise<T>,
  onLog?: (line: string) => unknown,
) {
  const server = serve(open, onLog);
  try {
    return await work(await server.listen({ port: 0 }));
  } finally {
    server.server.closeAllConnections();
    await server.close();
  }
}
