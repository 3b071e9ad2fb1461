import { InvalidInputError } from '../../domain/error.ts';
import { discardStaged, type StagedFile, stageFile } from '../../domain/upload/staging.ts';
import {
  bodyType,
  FIELD_BYTES_MAX,
  gather,
  hasBody,
  parseJson,
  readBytes,
  UnsupportedBodyError,
} from '../../http/body.ts';
import type { Call } from '../../http/dialect.ts';
import { type FilePart, readMultipart } from '../../http/upload/multipart.ts';
import { RefusedError } from './error.ts';

/** The JSON of a body, always an object. */
export type Content = Readonly<Record<string, unknown>>;

/** A file that has arrived, with the claims of its part's header. */
export interface SentFile {
  staged: StagedFile;
  filename: string | null;
  mediaType: string | null;
}

/** The body of a write. */
export interface ItemBody {
  content: Content;
  /** `empty`: a file without a byte; null: no file was sent. */
  file: SentFile | 'empty' | null;
  /** Passes the responsibility for the file's bytes to the caller. */
  takeFile: () => void;
}

/** Contract §6: the part that holds the JSON, and the property that every type with a file has. */
const CONTENT_PART = 'content';
const FILE_PART = 'umbracoFile';

/**
 * Runs `work` with the body: JSON, or multipart whose parts may come in any order, so that the file
 * is staged before its item is known. Deletes the bytes that `work` does not take. Throws
 * RefusedError, MalformedBodyError, BodyTooLargeError, UnsupportedBodyError, TooLargeError.
 */
export async function withItemBody<T>(
  { ctx, request: { raw } }: Call,
  work: (body: ItemBody) => Promise<T>,
): Promise<T> {
  const held: Held = { content: null, file: null, isEmpty: false };
  try {
    if (!hasBody(raw.headers)) throw noBody();
    const type = bodyType(raw.headers);
    if (type === 'multipart/form-data') {
      await readMultipart(raw, { isFile: () => true, onFile: (part) => take(part) });
    } else if (JSON_TYPE.test(type)) {
      held.content = await readBytes(raw);
    } else {
      throw new UnsupportedBodyError(raw.headers['content-type'] ?? '');
    }
    return await work({
      content: parseContent(held.content),
      file: held.file ?? (held.isEmpty ? 'empty' : null),
      takeFile: () => {
        held.file = null;
      },
    });
  } finally {
    await drop();
  }

  /** Recognises a part by its name alone, whatever else its header says: contract §11. */
  async function take(part: FilePart): Promise<void> {
    if (part.name === CONTENT_PART) held.content = await gather(part.bytes, FIELD_BYTES_MAX);
    if (part.name !== FILE_PART) return;
    // The last of several files counts.
    await drop();
    const { filename, mediaType } = part;
    const declared = { filename: '', declaredType: mediaType };
    const staged = await stageFile(ctx, part.bytes, declared).catch(nullIfEmpty);
    held.isEmpty = staged === null;
    held.file = staged && { staged, filename, mediaType };
  }

  async function drop(): Promise<void> {
    if (held.file !== null) await discardStaged(ctx, [held.file.staged]);
    held.file = null;
  }
}

interface Held {
  content: Buffer | null;
  file: SentFile | null;
  isEmpty: boolean;
}

/** `application/json`, and both names of HAL. */
const JSON_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json(?:\+hal)?$/;

/**
 * Returns null for an empty file: the type of the item, which may not have arrived yet, decides whether a file is
 * needed.
 */
function nullIfEmpty(error: unknown): null {
  if (error instanceof InvalidInputError) return null;
  throw error;
}

function parseContent(bytes: Buffer | null): Content {
  if (bytes === null || bytes.length === 0) throw noBody();
  const value = parseJson(bytes);
  if (value === null) throw noBody();
  if (typeof value === 'object' && !Array.isArray(value)) return value as Content;
  throw new RefusedError('BadRequest', 'The body must be a JSON object.');
}

function noBody(): RefusedError {
  return new RefusedError('BadRequest', 'Body cannot be empty.');
}
