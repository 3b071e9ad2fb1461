import type { Readable } from 'node:stream';
import type { ByteRange } from '../byte-range.ts';
import type { S3Body } from './body.ts';
import { isS3Error, S3Error } from './error.ts';
import { createFirstWrite } from './first-write.ts';
import { headerOf, readNothing, type S3Response, type S3Sender } from './request.ts';

/** What a store knows of an object. */
export interface S3Head {
  sizeBytes: number;
  /** Tells versions of the object apart. It is no digest. */
  etag: string;
  /** SHA-256 that `put` has noted; empty for an object of several parts. */
  sha256: string;
}

/** An object, or a range of it, that is open for reading. */
export interface S3Object {
  /** The size of the whole object. */
  sizeBytes: number;
  etag: string;
  /** The bytes. It fails if the connection breaks, and never ends early. Consume or destroy it. */
  body: Readable;
}

/** Options of `get`. */
export interface S3GetOptions {
  range?: ByteRange | undefined;
  /** Only this version: another one is an S3Error with status 412. */
  ifMatch?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Requests about one object. Names are relative to the prefix. */
export interface S3Objects {
  /**
   * Stores an object that does not exist yet. Succeeds if it exists with the same bytes, because a request that got no
   * response is repeated. Throws S3Error with the code `PreconditionFailed` if there are other bytes under this name.
   */
  put(name: string, body: S3Body, signal?: AbortSignal): Promise<void>;
  /** Opens an object; null if it does not exist. Throws RangeError for a range that starts past the last byte. */
  get(name: string, options?: S3GetOptions): Promise<S3Object | null>;
  /** Returns what is known of an object; null if it does not exist. */
  head(name: string, signal?: AbortSignal): Promise<S3Head | null>;
}

/** Creates the requests for single objects of one bucket. */
export function createS3Objects(sender: S3Sender): S3Objects {
  const { send } = sender;
  const sendFirst = createFirstWrite(sender);

  async function head(name: string, signal?: AbortSignal): Promise<S3Head | null> {
    try {
      return await send({ method: 'HEAD', name, signal }, async (response) => {
        await readNothing(response);
        return toHead(response);
      });
    } catch (error) {
      return ifAbsent(error);
    }
  }

  async function put(name: string, body: S3Body, signal?: AbortSignal): Promise<void> {
    const headers = { 'x-amz-meta-sha256': body.sha256 };
    try {
      await sendFirst({ method: 'PUT', name, headers, body, signal }, readNothing);
    } catch (error) {
      if (!(error instanceof S3Error && error.status === 412)) throw error;
      const stored = await head(name, signal);
      if (stored?.sizeBytes !== body.sizeBytes || stored.sha256 !== body.sha256) throw error;
    }
  }

  async function get(name: string, options: S3GetOptions = {}): Promise<S3Object | null> {
    const { range, ifMatch, signal } = options;
    const headers = {
      ...(range && { range: `bytes=${range.start}-${range.end}` }),
      ...(ifMatch && { 'if-match': ifMatch }),
    };
    try {
      return await send({ method: 'GET', name, headers, signal }, async (response) =>
        toObject(response, range),
      );
    } catch (error) {
      if (error instanceof S3Error && error.status === 416) {
        throw new RangeError(`${headers.range} is not a range of ${name}`);
      }
      return ifAbsent(error);
    }
  }

  return { put, get, head };
}

function toHead(response: S3Response): S3Head {
  return {
    sizeBytes: Number(headerOf(response, 'content-length')),
    etag: headerOf(response, 'etag'),
    sha256: headerOf(response, 'x-amz-meta-sha256'),
  };
}

function toObject(response: S3Response, range: ByteRange | undefined): S3Object {
  const { body } = response;
  const [, start, total] =
    /^bytes (\d+)-\d+\/(\d+)$/.exec(headerOf(response, 'content-range')) ?? [];
  if (range !== undefined && Number(start) !== range.start) {
    body.destroy();
    const message = `S3 GET: range ${range.start}-${range.end} was not respected`;
    throw new S3Error({ status: response.status, message });
  }
  const { sizeBytes, etag } = toHead(response);
  return { sizeBytes: range === undefined ? sizeBytes : Number(total), etag, body };
}

function ifAbsent(error: unknown): null {
  // The response to HEAD has no code, so that an absent bucket looks like an absent object there.
  const isAbsent = error instanceof S3Error && error.status === 404;
  if (isAbsent && !isS3Error(error, 'NoSuchBucket')) return null;
  throw error;
}
