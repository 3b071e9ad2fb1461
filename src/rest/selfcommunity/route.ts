import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { authorize } from '../../domain/viewer/access.ts';
import { UnsupportedBodyError } from '../../http/body.ts';
import { logFailure } from '../../http/server.ts';
import { requestContext, type TransportOptions, urlMaker } from '../../http/transport.ts';
import { RefusedError, toErrorAnswer } from './error.ts';
import { ROUTES, type Route } from './route-table.ts';

const PREFIX = '/api/v2';

/** The SelfCommunity API below `/api/v2`. */
export async function registerSelfCommunity(
  server: FastifyInstance,
  options: TransportOptions,
): Promise<void> {
  server.setTargetErrorHandler([`${PREFIX}/`], sendError);
  await server.register(async (dialect) => registerRoutes(dialect, options), { prefix: PREFIX });
}

function registerRoutes(server: FastifyInstance, { services, publicUrl }: TransportOptions): void {
  // Handlers read the body themselves, of any type: the texts of refusals are this dialect's.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _body, done) => done(null));
  server.setErrorHandler(sendError);
  server.setNotFoundHandler(() => {
    throw new RefusedError('Not found.', { status: 404, code: 'not_found' });
  });
  for (const { method, path, operation, handle } of ROUTES) {
    server.route({
      method,
      url: path,
      handler: async (request, reply) => {
        const ctx = requestContext(services, request);
        // Before the body: contract §4, who may not ask at all learns nothing of what is wrong with it.
        if (operation !== null) authorize(ctx, operation);
        const answer = await handle({ ctx, request, toUrl: urlMaker(publicUrl, request) });
        reply.code(answer.status);
        return answer.body === null ? reply.send() : reply.send(answer.body);
      },
    });
  }
  for (const [path, routes] of Map.groupBy(ROUTES, ({ path }) => path)) {
    refuseOtherMethods(server, path, routes);
  }
}

/** Contract §4: 405 with `Allow`, in the order of Django REST framework. */
function refuseOtherMethods(server: FastifyInstance, path: string, routes: readonly Route[]): void {
  const known: HTTPMethods[] = routes.map(({ method }) => method);
  if (known.includes('GET')) known.push('HEAD');
  const allow = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'].filter((method) =>
    known.includes(method),
  );
  server.route({
    // A request with OPTIONS is answered before it comes here.
    method: server.supportedMethods.filter((method) => ![...known, 'OPTIONS'].includes(method)),
    url: path,
    handler: ({ method }) => {
      throw new RefusedError(`Method "${method}" not allowed.`, {
        status: 405,
        code: 'method_not_allowed',
        headers: { allow: [...allow, 'OPTIONS'].join(', ') },
      });
    },
  });
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  logFailure(request, error);
  const type = request.headers['content-type'] ?? '';
  const cause = isNoMediaType(error) ? new UnsupportedBodyError(type) : error;
  const { status, headers, body } = toErrorAnswer(cause);
  return reply.code(status).headers(headers).send(body);
}

/** What cannot be a media type, Fastify refuses before any handler sees it. */
function isNoMediaType(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
}
