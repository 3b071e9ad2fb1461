import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { OpenedFile } from '../../domain/file/file.ts';
import { contentPolicy } from '../content-policy.ts';

/** Lifetime of a URL of a private file. A client follows a redirect at once. */
const PRIVATE_SECONDS = 60;

/** Lifetime of a URL of a public file. */
const PUBLIC_SECONDS = 900;

/** Time for which caches keep the redirect: its URL must be good for a while when they use it last. */
const KEPT_SECONDS = 300;

type Presign = NonNullable<OpenedFile['presign']>;

/** A file that the bucket may send. */
export interface Redirectable extends Pick<OpenedFile, 'file' | 'location' | 'dependsOnViewer'> {
  presign?: Presign | undefined;
}

/**
 * Returns the function that signs a URL of a file, if the bucket may send it in place of the server; null if not. A type
 * that needs our Content-Security-Policy, such as HTML or SVG, is not sent by the bucket: a signed URL sets no such
 * header. Neither are bytes that depend on the viewer.
 */
export function presignOf({
  file,
  presign,
  location,
  dependsOnViewer,
}: Redirectable): Presign | null {
  if (presign === undefined || location !== undefined || dependsOnViewer) return null;
  return contentPolicy(file.mimeType).csp === null ? presign : null;
}

/**
 * Returns whether a request has conditions that this server has found true. A client sends them to the bucket, too, which
 * would judge by tags and dates of its own, and refuse. `isRange`: whether the range that it asks for is sent.
 */
export function isBoundToOurTags(headers: IncomingHttpHeaders, isRange: boolean): boolean {
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined)
    return true;
  return isRange && headers['if-range'] !== undefined;
}

/**
 * Redirects a GET to a file in the bucket. The browser sends its Range header there, too. `isShared`: whether shared
 * caches may keep the file.
 */
export async function redirectToBucket(
  reply: FastifyReply,
  { mimeType, isPrivate }: OpenedFile['file'],
  presign: Presign,
  { disposition, isShared }: { disposition: string; isShared: boolean },
): Promise<FastifyReply> {
  const isPublic = isShared && !isPrivate;
  const cacheControl = isPublic ? `public, max-age=${KEPT_SECONDS}` : 'private, no-store';
  const location = await presign({
    expiresSeconds: isPublic ? PUBLIC_SECONDS : PRIVATE_SECONDS,
    contentType: mimeType,
    contentDisposition: disposition,
    cacheControl,
  });
  return reply.code(302).headers({ 'cache-control': cacheControl, location }).send();
}
