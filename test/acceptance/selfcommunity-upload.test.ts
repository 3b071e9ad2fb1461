import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { makePhoto } from '../support/photo.ts';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';
import { CHUNK_BYTES, md5Of, readFixture } from '../support/selfcommunity.ts';

// Contract §7: CommonJS; Node cannot load its other build.
const require = createRequire(import.meta.url);
const sdk = require('@selfcommunity/api-services') as typeof import('@selfcommunity/api-services');
const { http, MediaService, Endpoints, formatHttpErrorCode, formatHttpError } = sdk;

const JWT_SECRET = 'the-secret-of-the-acceptance-run';

// biome-ignore lint/suspicious/noExplicitAny: the SDK's types know fewer fields than the contract
type Loose = any;

/** Lends a server in a process of its own, which the SDK talks to as user 1. */
function withSdk(work: (server: ServerProcess) => Promise<void>): Promise<void> {
  return withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess(
      { TRIVIUM_DATA_DIR, TRIVIUM_JWT_SECRET: JWT_SECRET, TRIVIUM_AUTH: 'required' },
      async (server) => {
        http.setBasePortal(server.url);
        http.setAuthorizeToken(await sdk.generateJWTToken(1 as Loose, JWT_SECRET, '2h'));
        await work(server);
      },
    ),
  );
}

interface SdkChunk {
  bytes: Uint8Array;
  uploadId?: string | undefined;
  filename: string;
  type: string;
  part: string;
}

function toForm({ bytes, uploadId, filename, type, part }: SdkChunk): FormData {
  const form = new FormData();
  if (uploadId !== undefined) form.append('upload_id', uploadId);
  form.append(part, new File([Buffer.from(bytes)], filename, { type }), filename);
  return form;
}

/** Sends all chunks as §7 says; returns the id of the upload. */
async function sendChunks(bytes: Buffer, about: Omit<SdkChunk, 'bytes'>): Promise<string> {
  let uploadId: string | undefined;
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const chunk = bytes.subarray(start, start + CHUNK_BYTES);
    const end = start + chunk.length - 1;
    const form = toForm({ ...about, bytes: chunk, uploadId }) as Loose;
    const answer = await MediaService.chunkUploadMedia(form, start, end, bytes.length);
    expect(answer.offset).toBe(String(end + 1));
    uploadId = answer.upload_id;
  }
  return uploadId!;
}

async function errorOf(call: Promise<unknown>): Promise<Loose> {
  return call.then(
    () => expect.unreachable('The call was not refused.'),
    (error: unknown) => error,
  );
}

test('the SDK, told to leave the content type to the form, uploads an image and a document', () =>
  withSdk(async () => {
    http.deleteDefaultHeader({ name: 'Content-Type', methods: ['post'] });
    const photo = await makePhoto({ sizeBytesMin: 410_834 });
    const pictureId = await sendChunks(photo.bytes, {
      filename: 'blob',
      type: 'image/jpeg',
      part: 'image',
    });
    const picture = { type: 'image', upload_id: pictureId, md5: md5Of(photo.bytes) };
    const media: Loose = await MediaService.chunkUploadMediaComplete(picture as Loose);
    expect(media).toMatchObject({
      type: 'image',
      title: null,
      image_width: photo.width,
      image_height: photo.height,
    });
    const sent = await fetch(media.image);
    expect(Buffer.from(await sent.arrayBuffer()).equals(photo.bytes)).toBe(true);

    const pdf = await readFixture('document.pdf');
    const long = Buffer.concat([pdf, Buffer.alloc(410_834 - pdf.length, '%')]);
    const about = { filename: 'report.pdf', type: 'application/pdf', part: 'document' };
    const documentId = await sendChunks(long, about);
    const doc = { type: 'doc', upload_id: documentId, md5: md5Of(long) };
    const document: Loose = await MediaService.chunkUploadMediaComplete(doc as Loose);
    expect(document).toMatchObject({ type: 'doc', title: 'report.pdf', size: long.length });
    // As the UI downloads it: with its credential.
    const file = await http.request({ url: document.url, responseType: 'arraybuffer' });
    expect(Buffer.from(file.data as ArrayBuffer).equals(long)).toBe(true);
  }));

test('the SDK reads the error of an upload', () =>
  withSdk(async () => {
    const complete = (data: object) =>
      errorOf(MediaService.chunkUploadMediaComplete(data as Loose));
    const unknown = await complete({ upload_id: '0'.repeat(32), md5: '0'.repeat(32) });
    expect(formatHttpErrorCode(unknown)).toEqual({ error: 'not_found' });
    expect(formatHttpError(unknown)).toEqual({ error: 'Not found.' });
    const vimeo = await complete({ type: 'vimeo', upload_id: 'x', md5: 'y' });
    expect(formatHttpErrorCode(vimeo)).toEqual({ typeError: { error: 'invalid_choice' } });

    http.setAuthorizeToken(undefined);
    const url = Endpoints.ComposerChunkUploadMedia!.url({});
    const anonymous = await errorOf(http.request({ url, method: 'POST', data: {} }));
    expect(anonymous.response.status).toBe(401);
    expect(formatHttpErrorCode(anonymous)).toEqual({ error: 'not_authenticated' });
  }));
