import type { FastifyReply } from 'fastify';
import type { Operation } from '../../domain/viewer/access.ts';
import type { Route } from '../../http/dialect.ts';
import type { DocumentAnswer } from './document.ts';
import { downloadMedia, listMedias, showMedia } from './file/media.ts';
import { listJobs, postJob, removeJob, showJob, signal } from './job/job.ts';
import type { QueriedCall } from './query.ts';
import { uploadMedia } from './upload/upload.ts';

/** A route that responds with a document. */
export interface DocumentRoute extends Route {
  /** The operation that the viewer must be allowed to call; null: the handler's own operation checks that. */
  operation: Operation | null;
  handle: (call: QueriedCall) => Promise<DocumentAnswer>;
}

/** A route whose handler sends the response itself. */
export interface SentRoute extends Route {
  send: (call: QueriedCall) => Promise<FastifyReply>;
}

/** HEAD is explicit: Fastify would derive the HEAD of a download by reading the file to its end. */
const READ = ['GET', 'HEAD'];

/** Contract §1.1, §3 and §4. */
export const ROUTES: readonly (DocumentRoute | SentRoute)[] = [
  // The health check of the reference service: no document of JSON:API, and without a credential.
  { method: READ, path: '/healthcheck', send: async ({ reply }) => reply.send({ status: 'ok' }) },
  { method: READ, path: '/jobs', operation: 'job.read', handle: listJobs },
  { method: 'POST', path: '/jobs', operation: 'job.create', handle: postJob },
  { method: READ, path: '/jobs/:id', operation: 'job.read', handle: showJob },
  { method: 'DELETE', path: '/jobs/:id', operation: 'job.delete', handle: removeJob },
  { method: 'POST', path: '/jobs/:id/signal', operation: 'job.signal', handle: signal },
  { method: READ, path: '/medias', operation: 'resource.read', handle: listMedias },
  ...['/:resource', '/:resource/:key'].flatMap((item): (DocumentRoute | SentRoute)[] => [
    // Public files need no credential.
    { method: READ, path: `/medias/info${item}`, operation: null, handle: showMedia },
    { method: READ, path: `/medias/files${item}`, send: downloadMedia },
    {
      method: 'POST',
      path: `/medias/files${item}`,
      operation: 'resource.create',
      handle: uploadMedia,
    },
  ]),
];
