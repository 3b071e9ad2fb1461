import type { S3Query } from './location.ts';
import { readXml, type S3Request, type S3Sender } from './request.ts';
import { textIn, type XmlElement } from './xml.ts';

/** Requests a listing page by page. `nextOf` returns the parameters that ask for the page after this one. */
export async function* pagesOf(
  send: S3Sender['send'],
  request: S3Request,
  nextOf: (root: XmlElement) => S3Query,
): AsyncGenerator<XmlElement> {
  let next: S3Query | null = {};
  while (next !== null) {
    const root: XmlElement = await send(
      { ...request, query: { ...request.query, ...next } },
      readXml,
    );
    yield root;
    next = textIn(root, 'IsTruncated') === 'true' ? nextOf(root) : null;
  }
}
