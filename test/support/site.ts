import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server elsewhere, which answers as the test says. */
export interface Site {
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** What has been asked of it, in order. */
  requests: IncomingMessage[];
}

/** How it answers. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Runs work with a site, and closes it with all its connections. */
export async function withSite<T>(answer: Answer, work: (site: Site) => Promise<T>): Promise<T> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await work({ url: `http://127.0.0.1:${port}`, port, requests });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
