import { createHash } from 'node:crypto';
import { textBody } from './body.ts';
import { S3Error } from './error.ts';
import { pagesOf } from './page.ts';
import { readXml, type S3Sender } from './request.ts';
import { childrenOf, renderXml, textIn, type XmlElement } from './xml.ts';

/** An object of a listing. */
export interface S3Entry {
  name: string;
  sizeBytes: number;
  etag: string;
  modifiedAt: Date;
}

/** Requests about many objects. Names are relative to the prefix. */
export interface S3Listing {
  /** Deletes any number of objects, a thousand per request. Names without an object are ignored. */
  delete(names: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Lists the objects whose names begin with `start`, in the order of the bytes of their names. */
  list(start: string, signal?: AbortSignal): AsyncIterable<S3Entry>;
}

/** Most names in one request for deletion. */
const DELETED_MAX = 1000;

/** Creates the requests for many objects of one bucket. `prefix`: that of the location. */
export function createS3Listing({ send }: S3Sender, prefix: string): S3Listing {
  async function deleteSome(names: readonly string[], signal?: AbortSignal): Promise<void> {
    const text = renderDeletion(names.map((name) => prefix + name));
    // Stores demand one of several digests here; all of them know this one.
    const headers = {
      'content-md5': createHash('md5').update(text).digest('base64'),
      'content-type': 'application/xml',
    };
    const request = { method: 'POST', name: null, query: { delete: '' } } as const;
    await send({ ...request, headers, body: textBody(text), signal }, async (response) => {
      const [failed] = childrenOf(await readXml(response), 'Error');
      // Deletes all of them again if one fails: those that are gone already are ignored.
      if (failed !== undefined) throw toDeleteError(failed, response.status);
    });
  }

  return {
    async delete(names, signal) {
      for (let at = 0; at < names.length; at += DELETED_MAX) {
        await deleteSome(names.slice(at, at + DELETED_MAX), signal);
      }
    },
    async *list(start, signal) {
      const query = { 'list-type': '2', prefix: prefix + start };
      const pages = pagesOf(send, { method: 'GET', name: null, query, signal }, (root) => ({
        'continuation-token': textIn(root, 'NextContinuationToken'),
      }));
      for await (const root of pages) {
        yield* childrenOf(root, 'Contents').map((element) => toEntry(element, prefix));
      }
    },
  };
}

function renderDeletion(keys: readonly string[]): string {
  const objects = keys.map((key) => renderXml('Object', [renderXml('Key', key)]));
  return renderXml('Delete', [renderXml('Quiet', 'true'), ...objects]);
}

function toEntry(element: XmlElement, prefix: string): S3Entry {
  return {
    name: textIn(element, 'Key').slice(prefix.length),
    sizeBytes: Number(textIn(element, 'Size')),
    etag: textIn(element, 'ETag'),
    modifiedAt: new Date(textIn(element, 'LastModified')),
  };
}

function toDeleteError(element: XmlElement, status: number): S3Error {
  const code = textIn(element, 'Code');
  const message = `S3 deletion: ${code} ${textIn(element, 'Message')}`;
  return new S3Error({ status, code, message });
}
