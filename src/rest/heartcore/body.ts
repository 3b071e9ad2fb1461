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
import { type FilePart, readMultipart } from '../../http/multipart.ts';
import type { Call } from './call.ts';
import { RefusedError } from './error.ts';

/** The JSON of a body: an object. */
export type Content = Readonly<Record<string, unknown>>;

/** A file that has arrived, and what its part says of it. */
export interface SentFile {
  staged: StagedFile;
  filename: string | null;
  mediaType: string | null;
}

/** What a write brings. */
export interface ItemBody {
  content: Content;
  /** `empty`: one without a byte; null: none was sent. */
  file: SentFile | 'empty' | null;
  /** Hands over the care for the bytes of the file. */
  takeFile: () => void;
}

/** Contract §6: the part that is JSON, and the property that every type with a file has. */
const CONTENT_PART = 'content';
const FILE_PART = 'umbracoFile';

/**
 * Lends the body to work: JSON, or multipart whose parts may come in any order, so that the file is staged
 * before anything is known of it. Bytes that the work does not take are gone afterwards. Throws
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

  /** By its name, whatever else a part says: contract §11. */
  async function take(part: FilePart): Promise<void> {
    if (part.name === CONTENT_PART) held.content = await gather(part.bytes, FIELD_BYTES_MAX);
    if (part.name !== FILE_PART) return;
    // Of several files the last counts.
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

/** `application/json`, and HAL by both of its names. */
const JSON_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json(?:\+hal)?$/;

/** Whether a file was needed at all, the type of the item says, which may be still to come. */
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
