import { type S3Body, textBody } from './body.ts';
import { isS3Error, S3Error } from './error.ts';
import { createFirstWrite } from './first-write.ts';
import type { S3Objects } from './object.ts';
import { pagesOf } from './page.ts';
import { headerOf, readNothing, readXml, type S3Request, type S3Sender } from './request.ts';
import { childrenOf, renderXml, textIn, type XmlElement } from './xml.ts';

/** A part of a multipart upload. */
export interface S3Part {
  /** From 1 to 10,000. */
  number: number;
  etag: string;
  sizeBytes: number;
}

/** A part of a listing. */
export interface S3ListedPart extends S3Part {
  modifiedAt: Date;
}

/** A multipart upload that has not been completed. */
export interface S3Upload {
  name: string;
  uploadId: string;
  startedAt: Date;
}

/** Requests about multipart uploads. Names are relative to the prefix. */
export interface S3Uploads {
  /** Starts a multipart upload and returns its id. A request that got no response may leave another one open. */
  createUpload(name: string, signal?: AbortSignal): Promise<string>;
  /**
   * Stores a part, in place of one with the same number, and returns its ETag. All parts but the last must have the
   * same size, of 5 MiB at least. Throws S3Error with the code `NoSuchUpload` if the upload was completed or aborted.
   */
  uploadPart(
    upload: Pick<S3Upload, 'name' | 'uploadId'>,
    number: number,
    body: S3Body,
    signal?: AbortSignal,
  ): Promise<string>;
  /** Lists the parts in the order of their numbers. Throws S3Error with the code `NoSuchUpload`. */
  listParts(
    upload: Pick<S3Upload, 'name' | 'uploadId'>,
    signal?: AbortSignal,
  ): AsyncIterable<S3ListedPart>;
  /**
   * Makes the parts, in ascending order of their numbers, an object that does not exist yet. Succeeds if an object of
   * their size exists and the upload does not, because a request that got no response is repeated, or because the
   * object came to exist meanwhile; then it aborts the upload. Throws S3Error otherwise: with the code `NoSuchUpload`
   * if there is neither an upload nor an object of this size.
   */
  completeUpload(
    upload: Pick<S3Upload, 'name' | 'uploadId'>,
    parts: readonly S3Part[],
    signal?: AbortSignal,
  ): Promise<void>;
  /** Aborts a multipart upload and deletes its parts. Does nothing if it was completed or aborted. */
  abortUpload(upload: Pick<S3Upload, 'name' | 'uploadId'>, signal?: AbortSignal): Promise<void>;
  /** Lists the multipart uploads of names that begin with `start`, in the order of the names. */
  listUploads(start: string, signal?: AbortSignal): AsyncIterable<S3Upload>;
}

/** Creates the requests for multipart uploads to one bucket. `prefix`: that of the location. */
export function createS3Uploads(
  sender: S3Sender,
  objects: Pick<S3Objects, 'head'>,
  prefix: string,
): S3Uploads {
  const { send } = sender;
  const sendFirst = createFirstWrite(sender);

  return {
    abortUpload: (upload, signal) => abortUpload(sender, upload, signal),
    async createUpload(name, signal) {
      return await send(
        { method: 'POST', name, query: { uploads: '' }, signal },
        async (response) => textIn(await readXml(response), 'UploadId'),
      );
    },

    async uploadPart({ name, uploadId }, number, body, signal) {
      const query = { partNumber: String(number), uploadId };
      return await send({ method: 'PUT', name, query, body, signal }, async (response) => {
        await readNothing(response);
        return headerOf(response, 'etag');
      });
    },

    async *listParts({ name, uploadId }, signal) {
      const request = { method: 'GET', name, query: { uploadId }, signal } as const;
      const pages = pagesOf(send, request, (root) => ({
        'part-number-marker': textIn(root, 'NextPartNumberMarker'),
      }));
      for await (const root of pages) yield* childrenOf(root, 'Part').map(toPart);
    },

    async completeUpload(upload, parts, signal) {
      try {
        await sendFirst({ ...completionOf(upload, parts), signal }, readXml);
      } catch (error) {
        const isTaken = error instanceof S3Error && error.status === 412;
        if (!isTaken && !isS3Error(error, 'NoSuchUpload')) throw error;
        const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
        if ((await objects.head(upload.name, signal))?.sizeBytes !== sizeBytes) throw error;
        if (isTaken) await abortUpload(sender, upload, signal);
      }
    },

    async *listUploads(start, signal) {
      const query = { uploads: '', prefix: prefix + start };
      const pages = pagesOf(send, { method: 'GET', name: null, query, signal }, (root) => ({
        'key-marker': textIn(root, 'NextKeyMarker'),
        'upload-id-marker': textIn(root, 'NextUploadIdMarker'),
      }));
      for await (const root of pages) {
        yield* childrenOf(root, 'Upload').map((element) => toUpload(element, prefix));
      }
    },
  };
}

function completionOf(
  { name, uploadId }: Pick<S3Upload, 'name' | 'uploadId'>,
  parts: readonly S3Part[],
): S3Request {
  const body = textBody(renderXml('CompleteMultipartUpload', parts.map(renderPart)));
  const headers = { 'content-type': 'application/xml' };
  return { method: 'POST', name, query: { uploadId }, headers, body };
}

async function abortUpload(
  { send }: S3Sender,
  { name, uploadId }: Pick<S3Upload, 'name' | 'uploadId'>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await send({ method: 'DELETE', name, query: { uploadId }, signal }, readNothing);
  } catch (error) {
    const isGone = error instanceof S3Error && error.status === 404;
    if (!isGone || isS3Error(error, 'NoSuchBucket')) throw error;
  }
}

function toPart(element: XmlElement): S3ListedPart {
  return {
    modifiedAt: new Date(textIn(element, 'LastModified')),
    number: Number(textIn(element, 'PartNumber')),
    etag: textIn(element, 'ETag'),
    sizeBytes: Number(textIn(element, 'Size')),
  };
}

function renderPart({ number, etag }: S3Part): string {
  return renderXml('Part', [renderXml('PartNumber', number), renderXml('ETag', etag)]);
}

function toUpload(element: XmlElement, prefix: string): S3Upload {
  return {
    name: textIn(element, 'Key').slice(prefix.length),
    uploadId: textIn(element, 'UploadId'),
    startedAt: new Date(textIn(element, 'Initiated')),
  };
}
