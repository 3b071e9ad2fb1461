import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { readMessages } from '../../../src/graphql/socket/inbox.ts';

it('ten messages are handled at a time, in their order; meanwhile nothing further is read', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const [[socket, request]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
  const handled: (string | null)[] = [];
  const held: (() => void)[] = [];
  readMessages(socket, request.socket, (text) => {
    handled.push(text);
    return new Promise((resolve) => held.push(resolve));
  });
  const count = 50_000;
  // More than the buffers of the system hold.
  const padding = 'x'.repeat(1000);
  for (let index = 0; index < count; index += 1) client.send(`${index} ${padding}`);
  await vi.waitFor(() => expect(socket.isPaused).toBe(true));
  expect(handled.length).toBe(10);
  expect(client.bufferedAmount).toBeGreaterThan(0);
  while (handled.length < count) {
    for (const end of held.splice(0)) end();
    await new Promise(setImmediate);
  }
  expect(handled.every((text, index) => text?.startsWith(`${index} `))).toBe(true);
  client.terminate();
  server.close();
});
