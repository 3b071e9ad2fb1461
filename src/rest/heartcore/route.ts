import type { FastifyInstance, FastifyRequest } from 'fastify';
import { NotAuthenticatedError } from '../../domain/error.ts';
import {
  type Answer,
  type Call,
  createSendError,
  type DialectOptions,
  leaveBodies,
  type Route,
  refuseAll,
  registerRoutes,
  sendAnswer,
} from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { noSuchItem, RefusedError, toErrorAnswer } from './error.ts';
import { putItem } from './tree/change.ts';
import { postItem } from './tree/creation.ts';
import { deleteItem, getChildren, getItem, getRoots } from './tree/media.ts';
import { getItemType, listItemTypes } from './tree/media-type.ts';

interface HandledRoute extends Route {
  handle: (call: Call) => Promise<Answer>;
}

const ROUTES: readonly HandledRoute[] = [
  { method: 'GET', path: '/media', handle: getRoots },
  { method: 'POST', path: '/media', handle: postItem },
  { method: 'GET', path: '/media/type', handle: listItemTypes },
  { method: 'GET', path: '/media/type/:alias', handle: getItemType },
  { method: 'GET', path: '/media/:id', handle: getItem },
  { method: 'PUT', path: '/media/:id', handle: putItem },
  { method: 'DELETE', path: '/media/:id', handle: deleteItem },
  { method: 'GET', path: '/media/:id/children', handle: getChildren },
];

/** Paths of Heartcore's APIs that do not concern media (contract §13). */
const OTHERS = ['content', 'language', 'relation', 'member', 'forms'];

const CONTENT_TYPE = 'application/hal+json; charset=utf-8';

/**
 * Registers Heartcore's Content Management API for media, at the root of this host, because its .NET client supports no
 * prefix.
 */
export async function registerHeartcore(
  server: FastifyInstance,
  options: DialectOptions,
): Promise<void> {
  const sendError = createSendError(CONTENT_TYPE, toErrorAnswer);
  // Contract §2.2: clients send a content type even without a body.
  leaveBodies(server);
  server.setErrorHandler(sendError);
  server.setTargetErrorHandler(['/media/'], (error, request, reply) =>
    sendError(toItemError(error, request), request, reply),
  );
  registerRoutes(server, ROUTES, {
    ...options,
    onRequest: requireCredential,
    serve: async ({ handle }, call) => sendAnswer(call.reply, CONTENT_TYPE, await handle(call)),
    refuseMethod: (method) =>
      new RefusedError('MethodNotAllowed', `The resource does not support ${method}.`),
  });
  // Needs no credential: a malformed URL of a file must not ask for a login.
  const unknown = ['/media/*', ...OTHERS.flatMap((name) => [`/${name}`, `/${name}/*`])];
  for (const path of unknown) refuseAll(server, path, noSuchResource);
}

/**
 * Throws without a credential. Contract §2.3: checked before the body and before any lookup, so that a refusal reveals
 * nothing.
 */
async function requireCredential({ viewer }: FastifyRequest): Promise<void> {
  if (viewer.kind === 'anonymous') throw new NotAuthenticatedError();
}

function noSuchResource(): RefusedError {
  return new RefusedError('NotFound', 'The requested resource could not be found.');
}

/**
 * Returns the error of a malformed URL, unless the request has another fault. Contract §2.6: an id that is not a GUID is not found, even if it cannot be
 * decoded.
 */
function toItemError(error: unknown, { url }: FastifyRequest): unknown {
  if (error instanceof HttpError) return error;
  const [, id] = ITEM_PATH.exec(url) ?? [];
  return id === undefined ? error : noSuchItem(id);
}

const ITEM_PATH = /^\/media\/([^/?]+)(?:\/children)?\/?(?:\?|$)/;
