import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Upload } from 'graphql-upload-minimal';
import { MalformedBodyError } from '../../../http/body.ts';
import { HttpError } from '../../../http/http-error.ts';
import { type FilePart, readMultipart } from '../../../http/upload/multipart.ts';
import { parseForeignJson } from '../../../lib/json.ts';
import type { SentFile } from '../../type/upload/sent-file.ts';

/** An operation as the client sent it, not yet checked. */
export interface SentOperation {
  parameters: unknown;
  /** Discards the files that no resolver has opened, which would otherwise hold up the request. */
  discardFiles: () => void;
}

/** Maximum number of files in one request. */
const FILES_MAX = 10;

/**
 * Reads a multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec) up to its `map`; its files
 * arrive while the operation runs, each as soon as the one before has been read or discarded. Throws
 * MalformedBodyError, BodyTooLargeError and HttpError; a file that cannot be read fails with the same errors.
 */
export function readMultipartOperation(request: IncomingMessage): Promise<SentOperation> {
  const sent = Promise.withResolvers<SentOperation>();
  const answered = Promise.withResolvers<void>();
  const files = new Map<string, PromiseWithResolvers<SentFile>>();
  let operations: unknown;
  let isMapRead = false;
  const fail = (error: unknown) => {
    sent.reject(error);
    for (const file of files.values()) file.reject(error);
  };
  const onField = (name: string, value: string) => {
    if (name === 'operations') operations = parseField(name, value);
    if (name !== 'map') return;
    if (isMapRead) throw malformed('The field `map` is sent twice.');
    isMapRead = true;
    for (const [key, paths] of parseMap(value)) {
      const file = Promise.withResolvers<SentFile>();
      // Without a handler, an error of a file that no resolver waits for would end the process.
      file.promise.catch(() => undefined);
      files.set(key, file);
      const upload = Object.assign(new Upload(), { promise: file.promise });
      for (const path of paths) place(operations, path, upload);
    }
    sent.resolve({ parameters: operations, discardFiles: answered.resolve });
  };
  const onFile = async (part: FilePart) => {
    if (!isMapRead && part.filename !== null) throw malformed('Files must follow the field `map`.');
    const file = files.get(part.name);
    if (file === undefined) return;
    files.delete(part.name);
    await deliver(part, file, answered.promise);
  };
  const isFile = (name: string) => name !== 'operations' && name !== 'map';
  readMultipart(request, { isFile, onField, onFile }).then(
    // The remaining files will never arrive.
    () => {
      if (!isMapRead) fail(malformed('The field `map` is missing.'));
      else if (files.size > 0) fail(malformed('The request does not have this file.'));
    },
    fail,
  );
  return sent.promise;
}

/**
 * Hands a file to its field. Resolves when its bytes have been read or discarded: the next part must wait until then.
 * As the stream reads ahead, a file shorter than its buffer lets fields open their files in another order.
 */
async function deliver(
  part: FilePart,
  file: PromiseWithResolvers<SentFile>,
  answered: Promise<void>,
): Promise<void> {
  const passed = Promise.withResolvers<void>();
  const stream = Readable.from(endingWith(part.bytes, passed.resolve), STREAM_OPTIONS);
  // The reader of the stream receives the error. Without a handler, an earlier error would end the process.
  stream.on('error', () => undefined);
  stream.read(0);
  let isOpened = false;
  const open = () => {
    if (isOpened) return null;
    isOpened = true;
    return stream;
  };
  file.resolve({ filename: part.filename ?? '', declaredType: part.mediaType, open });
  answered.then(() => {
    if (!isOpened) stream.destroy();
  });
  await passed.promise;
}

const STREAM_OPTIONS = { objectMode: false, highWaterMark: 64 * 1024 };

async function* endingWith(
  bytes: AsyncIterable<Uint8Array>,
  onEnd: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } finally {
    onEnd();
  }
}

function parseField(name: string, value: string): unknown {
  try {
    return parseForeignJson(value);
  } catch {
    throw malformed(`The field \`${name}\` must be JSON.`);
  }
}

/** Returns the paths of each file in `operations`, by the name of its part. */
function parseMap(value: string): [key: string, paths: string[]][] {
  const map = parseField('map', value);
  const entries: [string, unknown][] = isRecord(map) ? Object.entries(map) : [];
  if (!isRecord(map) || Array.isArray(map) || !entries.every(hasPaths)) {
    throw malformed('The field `map` must be an object of lists of paths.');
  }
  if (entries.length > FILES_MAX) {
    throw new HttpError(413, 'BAD_REQUEST', `A request may have at most ${FILES_MAX} files.`);
  }
  return entries;
}

function hasPaths(entry: [string, unknown]): entry is [string, string[]] {
  const [, paths] = entry;
  return Array.isArray(paths) && paths.every((path) => typeof path === 'string' && path !== '');
}

/**
 * Puts an upload in place of a null or a missing property. Throws MalformedBodyError for any other path, such as
 * one to an inherited property, to the length of an array, or to another upload.
 */
function place(operations: unknown, path: string, upload: Upload): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce(ownValue, operations);
  if (
    !isRecord(holder) ||
    (Array.isArray(holder) ? holder[Number(last)] : (holder[last] ?? null)) !== null
  ) {
    throw malformed(`The path \`${path}\` of \`map\` must lead to a null in \`operations\`.`);
  }
  holder[last] = upload;
}

function ownValue(holder: unknown, name: string): unknown {
  return isRecord(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function malformed(message: string): MalformedBodyError {
  return new MalformedBodyError('multipart', message);
}
