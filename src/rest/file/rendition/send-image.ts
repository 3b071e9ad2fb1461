import type { FastifyReply } from 'fastify';
import { NotFoundError } from '../../../domain/error.ts';
import { ImageMovedError, openImage } from '../../../domain/rendition/image.ts';
import { type ImagePath, parseImagePath } from '../../../domain/rendition/image-path.ts';
import { type Call, pathParameter } from '../../../http/dialect.ts';
import { sendFile } from '../../../http/file/file-response.ts';
import { HttpError } from '../../../http/http-error.ts';
import { vary } from '../../../http/viewer/cache.ts';
import { dontStore, queryOf, refusedSignature, wantedDisposition } from '../signed.ts';
import { preferenceOf } from './preference.ts';

/** The route of renditions: see `formatImagePath`. */
export const IMAGE_ROUTE = '/i/:dir/:version/:parameters/:name';

/**
 * Sends the rendition at a path that GraphQL has returned. Redirects an old path to the present one; caches do not reuse the
 * redirect, because a change of the image may be undone. Throws HttpError for a path that this server has not signed or that
 * has expired, and for a query; NotFoundError if there is no such image.
 */
export async function sendImage(call: Call): Promise<FastifyReply> {
  const { ctx, request, reply } = call;
  const path = pathOf(call);
  const isNegotiated = path.request.format === 'auto';
  if (isNegotiated) vary(reply, 'Accept');
  const preference = isNegotiated ? preferenceOf(request.headers.accept) : 'basic';
  const open = async () => {
    const opened = await openImage(ctx, path, preference);
    if (opened !== null) return opened;
    dontStore(reply);
    throw new NotFoundError('image', path.name);
  };
  try {
    return await sendFile(request, reply, open, { disposition: wantedDisposition(queryOf(call)) });
  } catch (error) {
    if (!(error instanceof ImageMovedError)) throw error;
    reply.header('cache-control', error.isPrivate ? 'private, no-store' : 'public, no-cache');
    return reply.redirect(call.toUrl(error.path), 302);
  }
}

function pathOf(call: Call): ImagePath {
  const [written = '', ...query] = call.request.url.split('?');
  const segments = {
    dir: pathParameter(call, 'dir'),
    version: pathParameter(call, 'version'),
    parameters: pathParameter(call, 'parameters'),
    name: pathParameter(call, 'name'),
  };
  const path = parseImagePath(call.ctx, segments, written);
  if (typeof path === 'string') throw refusedSignature(call, path);
  // Otherwise one rendition would have any number of URLs, each of which would fill the caches on the way.
  if (query.length > 0 && query.join('?') !== 'download=1') {
    dontStore(call.reply);
    const message = 'The URL of a rendition takes no parameter except `download=1`.';
    throw new HttpError(400, 'INVALID_INPUT', message);
  }
  return path;
}
