import type { FastifyRequest } from 'fastify';
import { bodyType, UnsupportedBodyError } from '../../http/body.ts';
import { HttpError } from '../../http/http-error.ts';
import { parseForeignJson } from '../../lib/json.ts';
import { readMultipartOperation, type SentOperation } from './upload/multipart.ts';

/**
 * Reads the operation of a request from its URL, a JSON body or a multipart body.
 *
 * Throws HttpError for an invalid URL, and for a form without a header that prevents cross-site requests;
 * UnsupportedBodyError for a body of another type; and the errors of `readMultipartOperation`.
 */
export async function readParameters(request: FastifyRequest): Promise<SentOperation> {
  if (request.method === 'GET') return withoutFiles(parseUrl(request.url));
  switch (bodyType(request.headers)) {
    case 'application/json':
      return withoutFiles(request.body);
    case 'multipart/form-data':
      checkPreflight(request);
      return withoutBatch(await readMultipartOperation(request.raw));
    default:
      throw new UnsupportedBodyError(request.headers['content-type'] ?? '');
  }
}

/** Refuses the batch of a multipart request, whose files would arrive while its operations wait for each other. */
function withoutBatch(sent: SentOperation): SentOperation {
  if (!Array.isArray(sent.parameters)) return sent;
  sent.discardFiles();
  throw badRequest('A request with files holds one operation.');
}

function withoutFiles(parameters: unknown): SentOperation {
  return { parameters, discardFiles: () => undefined };
}

/** Parses the query of a URL. The first value of a repeated parameter counts. */
function parseUrl(url: string) {
  const search = new URLSearchParams(/\?(.*)$/s.exec(url)?.[1]);
  return {
    query: search.get('query') || undefined,
    operationName: search.get('operationName') || undefined,
    variables: parseJson(search, 'variables'),
    extensions: parseJson(search, 'extensions'),
    documentId: search.get('documentId') || undefined,
    id: search.get('id') || undefined,
    doc_id: search.get('doc_id') || undefined,
  };
}

function parseJson(search: URLSearchParams, name: string): unknown {
  const text = search.get(name);
  if (!text) return undefined;
  try {
    return parseForeignJson(text);
  } catch {
    throw badRequest(`The parameter \`${name}\` must be JSON.`);
  }
}

/** Throws HttpError unless a header is present that a form on another site cannot send. */
function checkPreflight({ headers }: FastifyRequest): void {
  if ('x-graphql-yoga-csrf' in headers || 'apollo-require-preflight' in headers) return;
  const names = '`x-graphql-yoga-csrf` or `apollo-require-preflight`';
  const message = `A multipart request needs a header ${names}, with any value.`;
  throw new HttpError(403, 'CSRF', message);
}

function badRequest(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message);
}
