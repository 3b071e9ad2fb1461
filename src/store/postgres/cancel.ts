import pg from 'pg';
import { CONNECT_TIMEOUT_MS, internalsOf } from './client.ts';

/**
 * Asks the server to cancel the statement that a client runs, by the cancel request of the protocol (PostgreSQL manual
 * §54.2.8): it needs no free connection and no login, and a pooler between the two understands it. Resolves when the
 * server has closed the connection of the request, or could not be reached in time. Never rejects. The request may
 * still arrive after the statement has ended: then the next statement of that client may be cancelled.
 */
export async function cancelStatement(
  target: pg.ClientBase,
  config: pg.ClientConfig,
): Promise<void> {
  const { processID, secretKey } = internalsOf(target);
  const { connection, host, port, ssl, sslNegotiation } = internalsOf(new pg.Client(config));
  const send = () => connection.cancel(processID, secretKey);
  const { promise: over, resolve } = Promise.withResolvers<void>();
  connection.on('error', () => connection.stream.destroy());
  connection.once('end', resolve);
  connection.once('connect', () => {
    if (!ssl) send();
    else if (sslNegotiation !== 'direct') connection.requestSsl();
  });
  connection.once('sslconnect', send);
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
  const late = setTimeout(() => connection.stream.destroy(), CONNECT_TIMEOUT_MS);
  await over;
  clearTimeout(late);
}
