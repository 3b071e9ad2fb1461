import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Services } from '../../domain/context.ts';
import { authorize } from '../../domain/viewer/access.ts';
import { refuseOtherMethods, requestContext } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { isLoopbackHost } from '../../http/viewer/origin.ts';

/** Options of `registerMetrics`. */
export interface MetricsOptions {
  services: Services;
  /** Who may read them. `local`: clients on this machine, and admins. */
  access: 'local' | 'admin' | 'open';
  /** Returns the text, in the format of Prometheus. */
  read: () => Promise<string>;
}

const PATH = '/metrics';

/** The media type of Prometheus's text format. */
const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Registers `GET /metrics`. */
export async function registerMetrics(
  server: FastifyInstance,
  { services, access, read }: MetricsOptions,
): Promise<void> {
  server.get(PATH, async (request, reply) => {
    const isAllowed = access === 'open' || (access === 'local' && isLocal(request));
    if (!isAllowed) authorize(requestContext(services, request, reply), 'metrics.read');
    return reply
      .header('cache-control', 'no-store')
      .type(TYPE)
      .send(await read());
  });
  refuseOtherMethods(
    server,
    PATH,
    ['GET', 'HEAD'],
    (method) => new HttpError(405, 'METHOD_NOT_ALLOWED', `Metrics do not support ${method}.`),
  );
}

/** Headers of requests that a proxy has passed on, or that a page in a browser has sent. */
const FOREIGN_HEADERS = [
  'forwarded',
  'origin',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

/**
 * Tells whether a program on this machine has sent the request. Not so a proxy for its clients, nor a page whose name points
 * at this machine.
 */
function isLocal({ client, calledAs, headers }: FastifyRequest): boolean {
  const isForeign = FOREIGN_HEADERS.some((name) => headers[name] !== undefined);
  return client.isLoopback && !isForeign && isLoopbackHost(calledAs.host);
}
