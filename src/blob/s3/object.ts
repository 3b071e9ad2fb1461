import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ByteRange } from '../byte-range.ts';
import { type S3Body, textBody } from './body.ts';
import { isS3Error, S3Error } from './error.ts';
import { createFirstWrite } from './first-write.ts';
import type { S3Query } from './location.ts';
import { headerOf, readNothing, readXml, type S3Response, type S3Sender } from './request.ts';
import { childrenOf, renderXml, textIn, type XmlElement } from './xml.ts';

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

/** An object of a listing. */
export interface S3Entry {
  name: string;
  sizeBytes: number;
  etag: string;
  modifiedAt: Date;
}

/** Requests about whole objects. Names are relative to the prefix. */
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
  /** Deletes any number of objects, a thousand per request. Names without an object are ignored. */
  delete(names: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Lists the objects whose names begin with `start`, in the order of the bytes of their names. */
  list(start: string, signal?: AbortSignal): AsyncIterable<S3Entry>;
}

/** Most names in one request for deletion. */
const DELETED_MAX = 1000;

/** Creates the requests for objects of one bucket. `prefix`: that of the location. */
export function createS3Objects(sender: S3Sender, prefix: string): S3Objects {
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

  async function deleteSome(names: readonly string[], signal?: AbortSignal): Promise<void> {
    const objects = names.map((name) => renderXml('Object', [renderXml('Key', prefix + name)]));
    const body = textBody(renderXml('Delete', [renderXml('Quiet', 'true'), ...objects]));
    const headers = { 'content-md5': md5Of(body), 'content-type': 'application/xml' };
    const request = { method: 'POST', name: null, query: { delete: '' } } as const;
    await send({ ...request, headers, body, signal }, async (response) => {
      const [failed] = childrenOf(await readXml(response), 'Error');
      // Deletes all of them again if one fails: those that are gone already are ignored.
      if (failed !== undefined) throw toDeleteError(failed, response.status);
    });
  }

  return {
    put,
    get,
    head,
    async delete(names, signal) {
      for (let at = 0; at < names.length; at += DELETED_MAX) {
        await deleteSome(names.slice(at, at + DELETED_MAX), signal);
      }
    },
    async *list(start, signal) {
      let page: S3Page | null = null;
      do {
        const query: S3Query = {
          'list-type': '2',
          prefix: prefix + start,
          ...(page?.next && { 'continuation-token': page.next }),
        };
        page = await send({ method: 'GET', name: null, query, signal }, async (response) =>
          toPage(await readXml(response), prefix),
        );
        yield* page.entries;
      } while (page.next !== '');
    },
  };
}

interface S3Page {
  entries: S3Entry[];
  /** Empty after the last page. */
  next: string;
}

function toPage(root: XmlElement, prefix: string): S3Page {
  const entries = childrenOf(root, 'Contents').map((entry) => ({
    name: textIn(entry, 'Key').slice(prefix.length),
    sizeBytes: Number(textIn(entry, 'Size')),
    etag: textIn(entry, 'ETag'),
    modifiedAt: new Date(textIn(entry, 'LastModified')),
  }));
  const isLast = textIn(root, 'IsTruncated') !== 'true';
  return { entries, next: isLast ? '' : textIn(root, 'NextContinuationToken') };
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

function toDeleteError(element: XmlElement, status: number): S3Error {
  const code = textIn(element, 'Code');
  return new S3Error({
    status,
    code,
    message: `S3 deletion: ${code} ${textIn(element, 'Message')}`,
  });
}

function ifAbsent(error: unknown): null {
  // The response to HEAD has no code, so that an absent bucket looks like an absent object there.
  const isAbsent = error instanceof S3Error && error.status === 404;
  if (isAbsent && !isS3Error(error, 'NoSuchBucket')) return null;
  throw error;
}

function md5Of(body: S3Body): string {
  const bytes = body.open();
  return createHash('md5')
    .update(bytes as Uint8Array)
    .digest('base64');
}
