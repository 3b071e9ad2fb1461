import type { FastifyInstance } from 'fastify';
import { ARCHIVE_PATH } from '../../domain/file/archive-url.ts';
import { type Call, type DialectOptions, registerRoutes } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { createSlots, type TakeSlot } from '../../http/slot.ts';
import { IMAGE_ROUTE, sendImage } from './rendition/send-image.ts';
import { sendRendition } from './rendition/send-rendition.ts';
import { sendArchive } from './send-archive.ts';
import { sendVersion } from './send-version.ts';

/** The shape of the URL of every file, see `urlFilename`. Other paths below `/media` are Heartcore's, or unknown. */
const DIR = '/media/:dir(^[a-z0-5]{8}$)';

// HEAD is explicit: the one that Fastify derives would read the file to its end and discard it.
const ROUTES = [
  { method: ['GET', 'HEAD'], path: `${DIR}/:name(^[a-z0-9_.-]{1,100}$)`, send: sendRendition },
  { method: ['GET', 'HEAD'], path: `${DIR}/version/:uuid(^[0-9a-f-]{36}$)`, send: sendVersion },
  { method: ['GET', 'HEAD'], path: IMAGE_ROUTE, send: sendImage },
] as const;

/** Archives that one viewer, and all viewers of this process, may download at once. */
const ARCHIVES_MAX = { name: 'archives', viewerMax: 4, totalMax: 64 } as const;

const archiveRoute = (takeSlot: TakeSlot) => ({
  method: ['GET', 'HEAD'] as const,
  path: ARCHIVE_PATH,
  send: (call: Call) => sendArchive(call, takeSlot),
});

/**
 * Serves the bytes of stored files, `GET` and `HEAD /media/{dir}/{file}`, at the URLs that all dialects name. The query
 * can ask for an image in another size or format. Serves the versions of a file at `/media/{dir}/version/{uuid}`, the
 * renditions that GraphQL names at `/i/{dir}/{version}/{parameters}/{name}`, and archives of files at `/archive`.
 */
export async function registerFiles(
  server: FastifyInstance,
  options: DialectOptions,
): Promise<void> {
  const { settings, tallyOf } = options.services;
  const { addressFactor } = settings.quotas;
  const takeSlot = createSlots({ ...ARCHIVES_MAX, addressFactor }, tallyOf('archives'));
  registerRoutes(server, [...ROUTES, archiveRoute(takeSlot)], {
    ...options,
    serve: ({ send }, call) => send(call),
    refuseMethod: (method) =>
      new HttpError(405, 'METHOD_NOT_ALLOWED', `A file does not support ${method}.`),
  });
}
