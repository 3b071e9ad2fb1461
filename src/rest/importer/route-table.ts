import type { FastifyReply } from 'fastify';
import type { Operation } from '../../domain/viewer/access.ts';
import type { Answer, Call } from './call.ts';
import { listJobs, postJob, removeJob, showJob, signal } from './job.ts';
import { downloadMedia, listMedias, showMedia } from './media.ts';
import { uploadMedia } from './upload.ts';

/** One method of one path. */
export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** What the viewer must be allowed to do; null: the operation itself decides. */
  operation: Operation | null;
  handle: (call: Call) => Promise<Answer>;
}

/** One path with bytes behind it. */
export interface DownloadRoute {
  path: string;
  send: (call: Call) => Promise<FastifyReply>;
}

/** Contract §3 and §4. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/jobs', operation: 'job.read', handle: listJobs },
  { method: 'POST', path: '/jobs', operation: 'job.create', handle: postJob },
  { method: 'GET', path: '/jobs/:id', operation: 'job.read', handle: showJob },
  { method: 'DELETE', path: '/jobs/:id', operation: 'job.delete', handle: removeJob },
  { method: 'POST', path: '/jobs/:id/signal', operation: 'job.signal', handle: signal },
  { method: 'GET', path: '/medias', operation: 'resource.read', handle: listMedias },
  // Without a credential, what is public is there.
  ...withKey('/medias/info').map((path) => ({
    method: 'GET' as const,
    path,
    operation: null,
    handle: showMedia,
  })),
  ...withKey('/medias/files').map((path) => ({
    method: 'POST' as const,
    path,
    operation: 'resource.create' as const,
    handle: uploadMedia,
  })),
];

/** Contract §4.4. */
export const DOWNLOADS: readonly DownloadRoute[] = withKey('/medias/files').map((path) => ({
  path,
  send: downloadMedia,
}));

/** `/{resource}(/{key})?` */
function withKey(path: string): string[] {
  return [`${path}/:resource`, `${path}/:resource/:key`];
}
