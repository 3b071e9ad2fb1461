import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { NotAuthenticatedError } from '../../domain/error.ts';
import { logFailure } from '../../http/server.ts';
import { requestContext, type TransportOptions, urlMaker } from '../../http/transport.ts';
import type { Answer, Call } from './call.ts';
import { putItem } from './change.ts';
import { postItem } from './creation.ts';
import { noSuchItem, RefusedError, toErrorAnswer } from './error.ts';
import { deleteItem, getChildren, getItem, getRoots } from './media.ts';
import { getItemType, listItemTypes } from './media-type.ts';

interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  handle: (call: Call) => Promise<Answer>;
}

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/media', handle: getRoots },
  { method: 'POST', path: '/media', handle: postItem },
  { method: 'GET', path: '/media/type', handle: listItemTypes },
  { method: 'GET', path: '/media/type/:alias', handle: getItemType },
  { method: 'GET', path: '/media/:id', handle: getItem },
  { method: 'PUT', path: '/media/:id', handle: putItem },
  { method: 'DELETE', path: '/media/:id', handle: deleteItem },
  { method: 'GET', path: '/media/:id/children', handle: getChildren },
];

/** Contract §13: what else the service has whose clients come here; none of it is about media. */
const OTHERS = ['content', 'language', 'relation', 'member', 'forms'];

const CONTENT_TYPE = 'application/hal+json; charset=utf-8';

/** Heartcore's Content Management API for media, at the root of this host: its .NET client knows no prefix. */
export async function registerHeartcore(
  server: FastifyInstance,
  { services, publicUrl }: TransportOptions,
): Promise<void> {
  // Handlers read the body themselves. Clients send a type for bodies that are not there: contract §2.2.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _body, done) => done(null));
  server.setErrorHandler(sendError);
  server.setTargetErrorHandler(['/media/'], refuseMalformed);
  for (const { method, path, handle } of ROUTES) {
    server.route({
      method,
      url: path,
      onRequest: requireCredential,
      handler: async (request, reply) => {
        const ctx = requestContext(services, request);
        const toUrl = urlMaker(publicUrl, request);
        const { status, body } = await handle({ ctx, request, toUrl });
        return reply.code(status).type(CONTENT_TYPE).send(JSON.stringify(body));
      },
    });
  }
  for (const [path, routes] of Map.groupBy(ROUTES, ({ path }) => path)) {
    refuseOtherMethods(server, path, routes);
  }
  const unknown = ['/media/*', ...OTHERS.flatMap((name) => [`/${name}`, `/${name}/*`])];
  for (const path of unknown) refuseAll(server, path);
}

/** Contract §2.3: before the body is looked at, and before what is there, so that nothing is told apart. */
async function requireCredential({ viewer }: FastifyRequest): Promise<void> {
  if (viewer.kind === 'anonymous') throw new NotAuthenticatedError();
}

/** Contract §4.7. */
function refuseOtherMethods(server: FastifyInstance, path: string, routes: readonly Route[]): void {
  const known: HTTPMethods[] = routes.map(({ method }) => method);
  if (known.includes('GET')) known.push('HEAD');
  const allow = [...known, 'OPTIONS'].join(', ');
  server.route({
    // A request with OPTIONS is answered before it comes here.
    method: server.supportedMethods.filter((method) => ![...known, 'OPTIONS'].includes(method)),
    url: path,
    onRequest: requireCredential,
    handler: ({ method }, reply) => {
      reply.header('allow', allow);
      throw new RefusedError('MethodNotAllowed', `The resource does not support ${method}.`);
    },
  });
}

/** Without a credential too: an address of a file that cannot be one is no page to log in for. */
function refuseAll(server: FastifyInstance, path: string): void {
  server.route({
    method: server.supportedMethods.filter((method) => method !== 'OPTIONS'),
    url: path,
    handler: () => {
      throw new RefusedError('NotFound', 'The requested resource could not be found.');
    },
  });
}

/** Contract §2.6: what is no GUID is the id of nothing, also where it cannot be decoded. */
function refuseMalformed(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const [, id] = ITEM_PATH.exec(request.url) ?? [];
  sendError(id === undefined ? error : noSuchItem(id), request, reply);
}

const ITEM_PATH = /^\/media\/([^/?]+)(?:\/children)?\/?(?:\?|$)/;

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  logFailure(request, error);
  const { status, body } = toErrorAnswer(error);
  return reply.code(status).type(CONTENT_TYPE).send(JSON.stringify(body));
}
