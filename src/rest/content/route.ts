import type { FastifyInstance, FastifyReply } from 'fastify';
import { NotFoundError } from '../../domain/error.ts';
import { openRendition } from '../../domain/rendition/rendition.ts';
import {
  type Call,
  type DialectOptions,
  pathParameter,
  registerRoutes,
} from '../../http/dialect.ts';
import { sendFile } from '../../http/file-response.ts';
import { HttpError } from '../../http/http-error.ts';

/** The shape of the URL of every file, see `urlFilename`. Other paths below `/media` are Heartcore's, or unknown. */
const PATH = '/media/:dir(^[a-z0-5]{8}$)/:name(^[a-z0-9_.-]{1,100}$)';

// HEAD is explicit: the one that Fastify derives would read the file to its end and discard it.
const ROUTES = [{ method: ['GET', 'HEAD'], path: PATH }];

/**
 * Serves the bytes of stored files, `GET` and `HEAD /media/{dir}/{file}`, at the URLs that all dialects name. The query
 * can ask for an image in another size or format.
 */
export async function registerContent(
  server: FastifyInstance,
  options: DialectOptions,
): Promise<void> {
  registerRoutes(server, ROUTES, {
    ...options,
    serve: (_route, call) => sendStoredFile(call),
    refuseMethod: (method) =>
      new HttpError(405, 'METHOD_NOT_ALLOWED', `A file does not support ${method}.`),
  });
}

type Query = Readonly<Record<string, string | string[] | undefined>>;

function sendStoredFile(call: Call): Promise<FastifyReply> {
  const { ctx, request, reply } = call;
  const query = request.query as Query;
  const name = pathParameter(call, 'name');
  const open = async () => {
    const opened = await openRendition(ctx, pathParameter(call, 'dir'), name, query);
    if (opened === null) throw new NotFoundError('file', name);
    return opened;
  };
  return sendFile(request, reply, open, { disposition: wantedDisposition(query) });
}

/** Returns `attachment` for `?download`, `?download=1` and `?download=true`. */
function wantedDisposition({ download }: Query) {
  const value = Array.isArray(download) ? download.at(-1) : download;
  return value !== undefined && ['', '1', 'true'].includes(value) ? 'attachment' : 'inline';
}
