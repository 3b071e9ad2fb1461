import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../../domain/context.ts';
import { NotFoundError } from '../../domain/error.ts';
import { openRendition } from '../../domain/rendition/rendition.ts';
import { sendFile } from '../../http/file-response.ts';
import { HttpError } from '../../http/http-error.ts';
import { requestContext, type TransportOptions } from '../../http/transport.ts';
import { handleError } from './error.ts';

/** The shape of every URL of a file, see `urlFilename`: other paths below `/media` are Heartcore's, or nobody's. */
const PATH = '/media/:dir(^[a-z0-5]{8}$)/:name(^[a-z0-9_.-]{1,100}$)';

interface FileRoute {
  Params: { dir: string; name: string };
  Querystring: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Bytes of stored files, at the URLs that all roads name: `GET` and `HEAD /media/{dir}/{file}`; of a picture also
 * in another size or format, as the query says.
 */
export async function registerContent(
  server: FastifyInstance,
  { services }: TransportOptions,
): Promise<void> {
  server.setErrorHandler(handleError);
  server.route<FileRoute>({
    // HEAD by name: Fastify's own would read the file to its end, to throw it away.
    method: ['GET', 'HEAD'],
    url: PATH,
    handler: (request, reply) => sendStoredFile(services, request, reply),
  });
  const answered = ['GET', 'HEAD', 'OPTIONS'];
  server.route({
    method: server.supportedMethods.filter((method) => !answered.includes(method)),
    url: PATH,
    // Before the body is looked at, whose type may be one that no parser is there for.
    onRequest: refuseMethod,
    handler: refuseMethod,
  });
}

function sendStoredFile(
  services: Services,
  request: FastifyRequest<FileRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { dir, name } = request.params;
  const ctx = requestContext(services, request);
  const open = async () => {
    const opened = await openRendition(ctx, dir, name, request.query);
    if (opened === null) throw new NotFoundError('file', name);
    return opened;
  };
  return sendFile(request, reply, open, { disposition: wantedDisposition(request.query) });
}

/** `?download`, `?download=1`, `?download=true`. */
function wantedDisposition({ download }: FileRoute['Querystring']) {
  const value = Array.isArray(download) ? download.at(-1) : download;
  return value !== undefined && ['', '1', 'true'].includes(value) ? 'attachment' : 'inline';
}

async function refuseMethod({ method }: FastifyRequest, reply: FastifyReply): Promise<never> {
  reply.header('allow', 'GET, HEAD, OPTIONS');
  throw new HttpError(405, 'METHOD_NOT_ALLOWED', `A file cannot be asked for with ${method}.`);
}
