import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A foreign web server, whose responses the test writes. */
export interface Site {
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** The requests so far, in order. */
  requests: IncomingMessage[];
}

/** Writes the response to a request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Runs `work` with a site, then closes the site and all its connections. */
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
