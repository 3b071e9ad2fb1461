import {
  InvalidInputError,
  OffsetMismatchError,
  UnsupportedMediaError,
  UploadCompletedError,
} from '../../../domain/error.ts';
import { filesByMediaIds } from '../../../domain/file/file.ts';
import { appendChunk, completeUpload } from '../../../domain/upload/upload.ts';
import type { Answer, Call } from '../../../http/dialect.ts';
import { readBody } from '../body.ts';
import { RefusedError } from '../error.ts';
import { toMediaBody } from '../tree/media-shape.ts';
import {
  type ContentRange,
  parseContentRange,
  toOffset,
  toSessionBody,
  toText,
  toUploadPolicy,
  toUploadType,
  UPLOAD_TYPES,
} from './shape.ts';

/** Contract §2.1: "Max chunk size is 204800 bytes". */
const CHUNK_BYTES_MAX = 204_800;

/**
 * Contract §1: clients put bytes of any kind into `image`; the documents name `document` as well.
 */
const CHUNK_PARTS = { names: ['image', 'document', 'file'], bytesMax: CHUNK_BYTES_MAX };

/** `POST /media/upload/chunk/`: contract §2.1. */
export async function uploadChunk({ ctx, request }: Call): Promise<Answer> {
  const { fields, file } = await readBody(request, CHUNK_PARTS);
  if (file === null) throw new RefusedError('No chunk file was submitted', { code: 'required' });
  // §5.4: a client sends this for an empty file, and would go on to complete an upload without an
  // id.
  if (file.sizeBytes === 0) throw new RefusedError('The submitted file is empty.');
  const range = readRange(request.headers['content-range']);
  const uploadId = toText(fields, 'upload_id');
  // §1: without a range, the part is the whole file unless a field gives its offset.
  const offsetBytes = range?.startBytes ?? toOffset(fields.get('offset')) ?? 0;
  const session = await appendChunk(ctx, {
    uploadId,
    offsetBytes,
    totalBytes: range?.totalBytes ?? (uploadId ? null : offsetBytes + file.sizeBytes),
    filename: file.filename,
    declaredType: file.mediaType,
    allowedTypes: UPLOAD_TYPES,
    // §2.1: the domain checks the sizes after the state of the upload.
    chunk: { bytes: [file.bytes], sizeBytes: range?.sizeBytes, sizeBytesMax: CHUNK_BYTES_MAX },
  }).catch(refuseChunk);
  return { status: 201, body: toSessionBody(session) };
}

/** `POST /media/upload/complete/`: contract §2.2. */
export async function completeChunks({ ctx, request, toUrl }: Call): Promise<Answer> {
  const { fields } = await readBody(request);
  const uploadId = toText(fields, 'upload_id');
  const md5 = toText(fields, 'md5');
  if (!uploadId || !md5) {
    throw new RefusedError("Both 'upload_id' and 'md5' are required", { code: 'required' });
  }
  const type = toUploadType(fields.get('type'));
  const media = await completeUpload(ctx, {
    uploadId,
    md5: MD5.test(md5) ? md5 : NO_MD5,
    ...toUploadPolicy(type),
  }).catch(refuseComplete);
  const files = await filesByMediaIds(ctx, [media.id]);
  return { status: 201, body: toMediaBody(media, files.get(media.id) ?? [], toUrl) };
}

const MD5 = /^[0-9a-f]{32}$/i;
/** §2.2: text that is not an MD5 matches no file. The state of the upload is checked first. */
const NO_MD5 = '0'.repeat(32);

function readRange(header: string | undefined): ContentRange | null {
  if (header === undefined) return null;
  const range = parseContentRange(header);
  if (range === null) throw new RefusedError('Error in request headers');
  return range;
}

/** Throws a RefusedError that names no field: the domain's fields do not occur in a request of this dialect. */
function refuseChunk(error: unknown): never {
  if (!(error instanceof InvalidInputError)) throw error;
  const [issue] = error.issues;
  throw new RefusedError(CHUNK_FAULTS[issue?.code ?? ''] ?? issue?.message ?? error.message);
}

const SIZE_MISMATCH = "File size doesn't match headers";
const CHUNK_FAULTS: Readonly<Record<string, string>> = {
  TOO_BIG: `Max chunk size is ${CHUNK_BYTES_MAX} bytes`,
  SIZE_MISMATCH,
  PAST_END: SIZE_MISMATCH,
};

function refuseComplete(error: unknown): never {
  // §2.2: "an incomplete upload shows up as" a mismatch.
  if (error instanceof OffsetMismatchError) throw new RefusedError('md5 checksum does not match');
  // §5.3: without the quotes of the response to a chunk.
  if (error instanceof UploadCompletedError) {
    throw new RefusedError('Upload has already been marked as complete');
  }
  // The content can contradict no other field of the request.
  if (error instanceof UnsupportedMediaError) {
    throw InvalidInputError.of('type', 'INVALID', error.message);
  }
  throw error;
}
