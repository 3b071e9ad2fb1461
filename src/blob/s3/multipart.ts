import { type S3Body, textBody } from './body.ts';
import { isS3Error, S3Error } from './error.ts';
import { createFirstWrite } from './first-write.ts';
import type { S3Objects } from './object.ts';
import { headerOf, readNothing, readXml, type S3Sender } from './request.ts';
import { childrenOf, renderXml, textIn, type XmlElement } from './xml.ts';

/** A part of a multipart upload. */
export interface S3Part {
  /** From 1 to 10,000. */
  number: number;
  etag: string;
  sizeBytes: number;
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
  ): AsyncIterable<S3Part>;
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
  { head }: Pick<S3Objects, 'head'>,
  prefix: string,
): S3Uploads {
  const { send } = sender;
  const sendFirst = createFirstWrite(sender);

  const abortUpload: S3Uploads['abortUpload'] = async ({ name, uploadId }, signal) => {
    try {
      await send({ method: 'DELETE', name, query: { uploadId }, signal }, readNothing);
    } catch (error) {
      const isGone = error instanceof S3Error && error.status === 404;
      if (!isGone || isS3Error(error, 'NoSuchBucket')) throw error;
    }
  };

  return {
    abortUpload,
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
      let marker = '';
      do {
        const query = { uploadId, ...(marker && { 'part-number-marker': marker }) };
        const root = await send({ method: 'GET', name, query, signal }, readXml);
        yield* childrenOf(root, 'Part').map(toPart);
        marker = textIn(root, 'IsTruncated') === 'true' ? textIn(root, 'NextPartNumberMarker') : '';
      } while (marker !== '');
    },

    async completeUpload(upload, parts, signal) {
      const { name, uploadId } = upload;
      const body = textBody(renderXml('CompleteMultipartUpload', parts.map(renderPart)));
      const headers = { 'content-type': 'application/xml' };
      const query = { uploadId };
      try {
        await sendFirst({ method: 'POST', name, query, headers, body, signal }, readXml);
      } catch (error) {
        const isTaken = error instanceof S3Error && error.status === 412;
        if (!isTaken && !isS3Error(error, 'NoSuchUpload')) throw error;
        const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
        if ((await head(name, signal))?.sizeBytes !== sizeBytes) throw error;
        if (isTaken) await abortUpload(upload, signal);
      }
    },

    async *listUploads(start, signal) {
      let next: Record<string, string> | null = {};
      while (next !== null) {
        const query = { uploads: '', prefix: prefix + start, ...next };
        const root: XmlElement = await send({ method: 'GET', name: null, query, signal }, readXml);
        yield* childrenOf(root, 'Upload').map((element) => toUpload(element, prefix));
        next = nextUploads(root);
      }
    },
  };
}

function nextUploads(root: XmlElement): Record<string, string> | null {
  if (textIn(root, 'IsTruncated') !== 'true') return null;
  return {
    'key-marker': textIn(root, 'NextKeyMarker'),
    'upload-id-marker': textIn(root, 'NextUploadIdMarker'),
  };
}

function toPart(element: XmlElement): S3Part {
  return {
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
