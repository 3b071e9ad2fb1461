import type { Connection } from '../connection.ts';
import { CommandError } from '../failure.ts';
import type { Media } from '../tree/node.ts';
import { toLocalName } from './local-name.ts';

/** Bytes to download. */
export interface Source {
  /** As the command line or the server names it, for messages. */
  label: string;
  url: string;
  /** Headers with the credential, if the URL is one of the server. */
  headers: Headers;
  sizeBytes: number;
  /** MD5 of the stored file, as 32 hex digits; null if it is not known. See `isWithoutLocation`. */
  md5: string | null;
  /** Changes when the bytes do: the MD5, or another tag of the content. */
  version: string;
  /** Global id of the media item; null for a URL. */
  id: string | null;
}

/** Returns the original of a media item. Throws CommandError if it has none. */
export function mediaSource(connection: Connection, media: Media, label: string): Source {
  const { id, url, file } = media;
  if (file === null || url === null)
    throw new CommandError(`${label}: is a link${url === null ? '' : ` to ${url}`}, and no file`);
  const { sizeBytes, md5 } = file;
  return { label, url, headers: headersFor(connection, url), sizeBytes, md5, version: md5, id };
}

/** Returns the file at a URL, and a name for it. Throws CommandError if there is none. */
export async function urlSource(
  connection: Connection,
  url: string,
  signal: AbortSignal,
): Promise<{ source: Source; name: string }> {
  const headers = headersFor(connection, url);
  const { ok, status, headers: answer } = await fetch(url, { method: 'HEAD', headers, signal });
  const sizeBytes = Number(answer.get('content-length') ?? Number.NaN);
  if (!ok) throw new CommandError(`${url}: the server answered ${status}`);
  if (!Number.isSafeInteger(sizeBytes))
    throw new CommandError(`${url}: the server does not say how long the file is`);
  const etag = answer.get('etag') ?? answer.get('last-modified') ?? '';
  const md5 = isOriginal(connection, url) ? (TAG.exec(etag)?.[1] ?? null) : null;
  const name = nameOf(answer.get('content-disposition'), url);
  const source = { label: url, url, headers, sizeBytes, md5, version: `${url} ${etag}`, id: null };
  return { source, name };
}

/** The tag of an original: its MD5, and what marks the form that is sent to viewers who may not see its location. */
const TAG = /^"([0-9a-f]{32})(-l\d+)?"$/;

/** Tells by the tag whether a server sends the original without its location: its MD5 is not that of these bytes. */
export function isWithoutLocation(etag: string | null): boolean {
  return TAG.exec(etag ?? '')?.[2] !== undefined;
}

/** The tag of an original is its MD5. A rendition has parameters, and another tag. */
function isOriginal({ url: server }: Connection, url: string): boolean {
  const { origin, pathname, searchParams } = new URL(url);
  const isPlain = [...searchParams.keys()].every((key) => key === 'download');
  return origin === new URL(server).origin && /^\/media\/[a-z0-5]{8}\//.test(pathname) && isPlain;
}

/** The credential is for the server that it was given for, and for nobody else. */
function headersFor({ url: server, headers }: Connection, url: string): Headers {
  const isOurs = URL.canParse(url) && new URL(url).origin === new URL(server).origin;
  const authorization = isOurs ? headers.get('authorization') : null;
  // A compressed body would have neither the size nor the digest of the file.
  const own = { 'accept-encoding': 'identity' };
  return new Headers(authorization === null ? own : { ...own, authorization });
}

/** Returns the name in `Content-Disposition` (RFC 6266), or the last part of the path. */
function nameOf(disposition: string | null, url: string): string {
  const [, encoded] = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '') ?? [];
  const [, plain] = /filename="?([^";]+)/i.exec(disposition ?? '') ?? [];
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  return toLocalName(decode(encoded) ?? plain ?? decode(last) ?? '');
}

function decode(text: string | undefined): string | null {
  try {
    return text === undefined ? null : decodeURIComponent(text);
  } catch {
    return null;
  }
}
