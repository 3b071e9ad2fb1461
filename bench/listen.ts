import type { Server } from 'node:http';

/** Listens at any free port of loopback and prints the URL as a line of JSON, as `Scratch.start` expects. */
export function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
  });
}
