import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { UnsupportedMediaError } from '../../../src/domain/error.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { createFiledMedia } from '../../../src/domain/upload/filed-media.ts';
import { importFile } from '../../../src/domain/upload/import.ts';
import { changeNode } from '../../../src/domain/upload/node-change.ts';
import { uploadToResource } from '../../../src/domain/upload/resource-upload.ts';
import { stageFile } from '../../../src/domain/upload/staging.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces, leftovers, md5Of, NOTHING, PNG } from '../../support/bytes.ts';
import { listFiles } from '../../support/source.ts';

/** An operation that takes in the bytes of an image under a name. */
type Upload = (ctx: Context, filename: string) => Promise<unknown>;

const POLICY = { type: null };
const declared = (filename: string) => ({ filename, declaredType: null });
const stage = (ctx: Context, name: string) => stageFile(ctx, inPieces(PNG), declared(name));
const incoming = (filename: string) => ({ ...declared(filename), bytes: inPieces(PNG) });
const original = (ctx: Context) => uploadFile(ctx, incoming('old.png'));

/** Every operation that takes in bytes. */
const UPLOADS: Readonly<Record<string, Upload>> = {
  uploadFile: (ctx, filename) => uploadFile(ctx, incoming(filename)),
  replaceFile: async (ctx, filename) =>
    replaceFile(ctx, (await original(ctx)).id, incoming(filename)),
  changeNode: async (ctx, filename) => {
    const { id } = await original(ctx);
    return changeNode(ctx, id, {}, { staged: await stage(ctx, filename), policy: POLICY });
  },
  createFiledMedia: async (ctx, filename) => {
    const folder = await createFolder(ctx, { name: 'A folder' });
    const input = { name: 'a', folderId: folder.id, mediaTypeAlias: 'File' };
    const staged = await stage(ctx, filename);
    return createFiledMedia(ctx, input, { staged, policy: POLICY });
  },
  uploadToResource: (ctx, filename) =>
    uploadToResource(ctx, { resource: 'r', key: null }, async (onFile) => {
      await onFile(incoming('good.png'));
      await onFile(incoming(filename));
      return { key: null, projectId: null };
    }),
  importFile: (ctx, filename) => {
    const job = { id: 1, uuid: ctx.newId(), arguments: {} };
    const file = { ...incoming(filename), sizeBytes: null };
    return importFile(ctx, job, file, new AbortController().signal);
  },
  completeUpload: async (ctx, filename) => {
    const place = { offsetBytes: 0, totalBytes: PNG.length };
    const chunk = { bytes: inPieces(PNG) };
    const { uploadId } = await appendChunk(ctx, { ...declared(filename), ...place, chunk });
    return completeUpload(ctx, { uploadId, md5: md5Of(PNG) });
  },
};

describeEachBackend('the door', (backend) => {
  it.each(Object.entries(UPLOADS))('%s accepts a file', (_, upload) =>
    withServices(backend, async (services) => {
      await upload(services.as(user()), 'new.png');
      const rows = await services.db.selectFrom('file').selectAll().execute();
      expect(rows.map(({ filename }) => filename)).toContain('new.png');
      expect(rows.every(({ mime_type, width }) => mime_type === 'image/png' && width)).toBe(true);
      expect((await leftovers(services)).staged).toBe(0);
    }),
  );

  it.each(Object.entries(UPLOADS))('%s refuses a file under a false name', (name, upload) =>
    withServices(backend, async (services) => {
      const refused = upload(services.as(user()), 'new.html');
      await expect(refused).rejects.toBeInstanceOf(UnsupportedMediaError);
      expect(await leftovers(services)).toEqual({
        ...NOTHING,
        ...(await expected(services, name)),
      });
    }),
  );
});

/**
 * The state that a refused file leaves behind: the old file of a media item, and an upload session that can be
 * completed again.
 */
async function expected({ db }: TestServices, name: string) {
  if (name === 'completeUpload') return { openAt: [PNG.length], staged: 1 };
  const hasOld = name === 'replaceFile' || name === 'changeNode';
  const rows = await db.selectFrom('file').select('filename').execute();
  expect(rows).toEqual(hasOld ? [{ filename: 'old.png' }] : []);
  return hasOld ? { medias: 1, files: 1, stored: 1 } : {};
}

describe('the source of the domain', () => {
  const sources = listFiles('src/domain').map((path) => ({
    path,
    text: readFileSync(path, 'utf8'),
  }));
  const filesWith = (pattern: RegExp) =>
    sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

  it('promotes staged bytes at the door only', () => {
    expect(filesWith(/\bpromote\b\(/)).toEqual(['src/domain/upload/door.ts']);
  });

  it('writes rows of uploaded files in the destinations of the door only', () => {
    expect(filesWith(/\binsertFile\(/)).toEqual([
      // Generated on this server.
      'src/domain/rendition/derived-file.ts',
      'src/domain/upload/file-row.ts',
    ]);
    expect(filesWith(/\bupdateFile\(/)).toEqual([
      // Only sets the placeholder.
      'src/domain/rendition/kept-image.ts',
      // For a destination, or for bytes that came through the door earlier.
      'src/domain/upload/current-file.ts',
      // Only takes the size away.
      'src/domain/upload/damaged-original.ts',
    ]);
    expect(filesWith(/from '\.\/file-row\.ts'/)).toEqual([
      'src/domain/upload/named-media.ts',
      'src/domain/upload/new-media.ts',
      'src/domain/upload/original.ts',
      'src/domain/upload/resource-files.ts',
    ]);
  });

  it('passes destinations to the door and calls none of them itself', () => {
    const users = filesWith(/\binto(NewMedia|Media|Named|Original|NamedResource)(<T>)?\(/);
    expect(users.filter((path) => !filesWith(/\btake\(/).includes(path))).toEqual([
      'src/domain/upload/named-media.ts',
      'src/domain/upload/new-media.ts',
      'src/domain/upload/original.ts',
    ]);
    expect(filesWith(/\.write\(/)).toEqual([]);
  });
});
