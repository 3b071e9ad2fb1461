import type { WebSocket } from 'ws';

/** Interval of pings. Proxies close connections that are idle for a minute. */
const PING_MS = 12_000;

/**
 * Pings the client, and cuts the connection of one that has not answered the ping before. While the server itself reads
 * nothing, although the client has taken all it was sent, no answer is expected.
 */
export function keepAlive(socket: WebSocket): void {
  let isAlive = true;
  const timer = setInterval(() => {
    const isWaiting = socket.isPaused && socket.bufferedAmount === 0;
    if (!isAlive && !isWaiting) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS);
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.once('close', () => clearInterval(timer));
}
