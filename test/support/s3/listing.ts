import type { Bucket, StoredUpload } from './bucket.ts';
import { Refusal } from './error.ts';

/** Answers ListObjectsV2. `pageMax`: most entries of a page. */
export function renderObjects(
  { objects }: Bucket,
  query: URLSearchParams,
  pageMax: number,
): string {
  if (query.has('delimiter')) throw new Refusal(501, 'NotImplemented', 'delimiter');
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : fromToken(token);
  const prefix = query.get('prefix') ?? '';
  const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after);
  const { page, isTruncated } = cut(names.sort(), query.get('max-keys'), pageMax);
  const entries = page.map((name) => {
    const object = objects.get(name)!;
    const size = `<Size>${object.sizeBytes}</Size><ETag>${escapeXml(object.etag)}</ETag>`;
    const time = `<LastModified>${object.modifiedAt.toISOString()}</LastModified>`;
    return `<Contents><Key>${escapeXml(name)}</Key>${time}${size}</Contents>`;
  });
  const next = isTruncated
    ? `<NextContinuationToken>${toToken(page.at(-1)!)}</NextContinuationToken>`
    : '';
  return document('ListBucketResult', [...entries, truncated(isTruncated), next]);
}

/** Answers ListMultipartUploads. */
export function renderUploads(
  { uploads }: Bucket,
  query: URLSearchParams,
  pageMax: number,
): string {
  const prefix = query.get('prefix') ?? '';
  const marker = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? ''] as const;
  const open = [...uploads.values()]
    .filter(({ name }) => name.startsWith(prefix))
    .filter(({ name, uploadId }) => {
      if (name !== marker[0]) return name > marker[0];
      return marker[1] !== '' && uploadId > marker[1];
    })
    .sort((one, other) => compare(one.name, other.name) || compare(one.uploadId, other.uploadId));
  const { page, isTruncated } = cut(open, query.get('max-uploads'), pageMax);
  const entries = page.map(({ name, uploadId, startedAt }) => {
    const time = `<Initiated>${startedAt.toISOString()}</Initiated>`;
    return `<Upload><Key>${escapeXml(name)}</Key><UploadId>${uploadId}</UploadId>${time}</Upload>`;
  });
  const last = page.at(-1);
  const next = isTruncated
    ? `<NextKeyMarker>${escapeXml(last!.name)}</NextKeyMarker><NextUploadIdMarker>${last!.uploadId}</NextUploadIdMarker>`
    : '';
  return document('ListMultipartUploadsResult', [...entries, truncated(isTruncated), next]);
}

/** Answers ListParts. */
export function renderParts(
  { parts }: StoredUpload,
  query: URLSearchParams,
  pageMax: number,
): string {
  const after = Number(query.get('part-number-marker') ?? 0);
  const numbers = [...parts.keys()].filter((number) => number > after).sort((a, b) => a - b);
  const { page, isTruncated } = cut(numbers, query.get('max-parts'), pageMax);
  const entries = page.map((number) => {
    const { etag, sizeBytes, receivedAt } = parts.get(number)!;
    const tag = `<ETag>${escapeXml(etag)}</ETag>`;
    return `<Part><PartNumber>${number}</PartNumber>${tag}<Size>${sizeBytes}</Size><LastModified>${receivedAt.toISOString()}</LastModified></Part>`;
  });
  const next = isTruncated ? `<NextPartNumberMarker>${page.at(-1)}</NextPartNumberMarker>` : '';
  return document('ListPartsResult', [...entries, truncated(isTruncated), next]);
}

/** Renders a document of S3. */
export function document(root: string, content: readonly string[]): string {
  const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} ${namespace}>${content.join('')}</${root}>`;
}

/** Renders an error, which has no namespace. */
export function renderError(code: string, message: string): string {
  const text = `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${text}<RequestId>test</RequestId></Error>`;
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** Reads the text of an element. */
export function unescapeXml(text: string): string {
  const named = new Map([
    ['amp', '&'],
    ['lt', '<'],
    ['gt', '>'],
    ['quot', '"'],
    ['apos', "'"],
  ]);
  return text.replace(/&(#\d+|\w+);/g, (entity, name: string) =>
    name.startsWith('#')
      ? String.fromCodePoint(Number(name.slice(1)))
      : (named.get(name) ?? entity),
  );
}

function cut<T>(all: readonly T[], asked: string | null, pageMax: number) {
  const count = Math.min(Number(asked ?? pageMax), pageMax);
  return { page: all.slice(0, count), isTruncated: all.length > count };
}

function truncated(isTruncated: boolean): string {
  return `<IsTruncated>${isTruncated}</IsTruncated>`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function toToken(name: string): string {
  return Buffer.from(name).toString('base64');
}

function fromToken(token: string): string {
  return Buffer.from(token, 'base64').toString();
}
