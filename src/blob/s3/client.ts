import type { S3CredentialSource } from './credential.ts';
import { createS3Listing, type S3Listing } from './listing.ts';
import type { S3Location } from './location.ts';
import { createS3Uploads, type S3Uploads } from './multipart.ts';
import { createS3Objects, type S3Objects } from './object.ts';
import { createS3Sender, presign, type S3Timing } from './request.ts';

/** What a presigned download answers with, in place of what the store knows. */
export interface S3PresignOptions {
  expiresSeconds: number;
  contentType?: string;
  contentDisposition?: string;
  cacheControl?: string;
}

/**
 * Sends requests to one bucket, below one prefix. Failures that may pass are retried; all others are an S3Error, whose
 * `failure` says whether the store is full or cannot be used. Every request takes an optional signal that aborts it.
 */
export interface S3Client extends S3Objects, S3Listing, S3Uploads {
  /** Returns a URL with which anybody can download an object until it expires. */
  presignGet(name: string, options: S3PresignOptions): Promise<string>;
  /** Closes all connections. Requests that are running fail. */
  close(): Promise<void>;
}

/** Options of `createS3Client`. */
export interface S3ClientOptions {
  location: S3Location;
  credentials: S3CredentialSource;
  timing?: S3Timing;
}

/** Creates a client of the S3 API. It opens connections when they are needed. */
export function createS3Client({ location, credentials, timing }: S3ClientOptions): S3Client {
  const sender = createS3Sender(location, credentials, timing);
  const objects = createS3Objects(sender);
  return {
    ...objects,
    ...createS3Listing(sender, location.prefix),
    ...createS3Uploads(sender, objects, location.prefix),
    async presignGet(name, { expiresSeconds, contentType, contentDisposition, cacheControl }) {
      const query = {
        ...(contentType && { 'response-content-type': contentType }),
        ...(contentDisposition && { 'response-content-disposition': contentDisposition }),
        ...(cacheControl && { 'response-cache-control': cacheControl }),
      };
      const request = { method: 'GET', name, query } as const;
      return await presign(location, request, await credentials.current(), expiresSeconds);
    },
    close: sender.close,
  };
}
