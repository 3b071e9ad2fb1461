import { expect, it } from 'vitest';
import { tagMedia } from '../../../src/domain/bulk/tagging.ts';
import type { Context } from '../../../src/domain/context.ts';
import { copyMedia } from '../../../src/domain/copy/copy-media.ts';
import { InvalidInputError, NotFoundError } from '../../../src/domain/error.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import {
  DamagedFileError,
  InsufficientStorageError,
  QuotaExceededError,
} from '../../../src/domain/storage-error.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { createMedia, type LinkInput } from '../../../src/domain/tree/link.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { uploadToResource } from '../../../src/domain/upload/resource-upload.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import type { NodeRow } from '../../../src/store/table.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces, leftovers } from '../../support/bytes.ts';
import { makeFileRow, makeMediaRow, makeTag } from '../../support/make.ts';
import { SAMPLES } from '../../support/sample.ts';

const QUOTAS = {
  uploadsMax: 0,
  promisedBytesMax: 0,
  storedBytesMax: 0,
  itemsMax: 0,
  subscriptionsMax: 0,
  subscriptionsTotalMax: 0,
  addressFactor: 10,
  freeBytesMin: 0,
};

const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };

const rowOf = ({ db }: TestServices, id: number) =>
  db.selectFrom('media').where('id', '=', id).selectAll().executeTakeFirstOrThrow();
const filesOf = ({ db }: TestServices, id: number) =>
  db.selectFrom('file').where('media_id', '=', id).orderBy('key').selectAll().execute();

function upload(ctx: Context, filename: string, bytes: Buffer, input: object = {}) {
  return uploadFile(ctx, { filename, bytes: inPieces(bytes, 5000), ...input });
}

/** The columns that a copy has of its own. */
const OWN = ['id', 'uuid', 'resource', 'owner', 'created_at', 'updated_at', 'sort_order'] as const;
function withoutOwn(row: NodeRow): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !OWN.includes(name as never)));
}

/** Files of every kind. */
const FILES: Readonly<Record<string, () => Buffer>> = {
  'picture.png': () => fixtureBytes('picture.png'),
  'note.txt': () => Buffer.from('Some text.'),
  // Larger than what is held in memory, and not read in one piece.
  'large.bin': () => Buffer.alloc(3_000_001, 'abcdefg'),
  ...SAMPLES,
};

const LINKS: readonly LinkInput[] = [
  { type: 'url', url: 'https://example.org/a' },
  { type: 'vimeo', url: 'https://vimeo.com/1', title: 'Film' },
  { type: 'image', url: 'https://example.org/a.png' },
  { type: 'embed', embedType: 'post', embedId: '7', embedMetadata: { a: [1] } },
  { type: 'share', embedType: 'post', embedId: '8', embedUrl: 'https://example.org/8' },
];

describeEachBackend('the copy of a media item', (backend) => {
  it('has the same bytes, digests and file names, whatever is in them', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      for (const [name, bytes] of Object.entries(FILES)) {
        const original = await upload(ctx, name, bytes());
        const copy = await copyMedia(ctx, { id: original.id });
        const [before, after] = [
          await filesOf(services, original.id),
          await filesOf(services, copy.id),
        ];
        const same = (row: (typeof before)[number]) => {
          const { id, uuid, media_id, dir, blob_key, resource, created_at, updated_at, ...rest } =
            row;
          return rest;
        };
        expect(after.map(same), name).toEqual(before.map(same));
        expect(after[0]!.dir).not.toBe(before[0]!.dir);
        const stored = await Array.fromAsync(await services.blobs.read(after[0]!.blob_key));
        expect(Buffer.concat(stored).equals(bytes()), name).toBe(true);
        expect(withoutOwn(await rowOf(services, copy.id))).toEqual(
          withoutOwn(await rowOf(services, original.id)),
        );
      }
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
    }));

  it('of a link has its address and its metadata', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      for (const link of LINKS) {
        const original = await createMedia(ctx, link);
        const copy = await copyMedia(ctx, { id: original.id });
        const row = await rowOf(services, copy.id);
        expect(withoutOwn(row)).toEqual(withoutOwn(await rowOf(services, original.id)));
        expect(row.resource).toBe(row.uuid);
      }
      // The pages that have not been fetched for the original are fetched for the copy.
      const jobs = services.db.selectFrom('job').where('job_class', '=', 'fetch-link');
      expect(await jobs.select('id').execute()).toHaveLength(4);
    }));

  it('has the tags, attributes, custom fields and visibility of the original, and belongs to the viewer', () =>
    withServices(backend, async (services) => {
      const { db, as } = services;
      const [alice, admin] = [as(user('alice')), as(user('root', 'admin'))];
      const folder = await createFolder(alice, { name: 'F' });
      const tags = [await makeTag(db, { name: 'one' }), await makeTag(db, { name: 'two' })];
      const { id } = await upload(alice, 'picture.png', fixtureBytes('picture.png'), {
        folderId: folder.id,
        tagIds: tags.map((tag) => tag.id),
      });
      await updateMedia(alice, id, {
        description: 'd',
        keywords: 'k',
        visibility: 'private',
        focalPoint: { left: 0.1, top: 0.2 },
        crops: [{ alias: 'c', width: 3, height: 4 }],
        ...{ altText: 'alt', caption: 'cap', credit: 'me', metadata: { k: 1 } },
      });
      const attributes = { alt_text: 'alt', caption: 'cap', credit: 'me', metadata: '{"k":1}' };
      const details = {
        details: '{"a":1}',
        taken_at: 5,
        duration_ms: 6,
        latitude: 1.5,
        longitude: 2,
      };
      await db.updateTable('media').set(details).where('id', '=', id).execute();
      services.advance(1000);
      const copy = await copyMedia(admin, { id });
      const [row, original] = [await rowOf(services, copy.id), await rowOf(services, id)];
      expect(row).toMatchObject({ ...attributes, ...details, is_public: -1, parent_id: folder.id });
      expect(withoutOwn(row)).toEqual(withoutOwn(original));
      expect(row).toMatchObject({ owner: 'root', created_at: services.clock(), resource: null });
      expect(row.sort_order).toBe(original.sort_order + 1);
      const kept = async (mediaId: number) => ({
        tags: await db
          .selectFrom('media_tag')
          .where('media_id', '=', mediaId)
          .orderBy('tag_id')
          .select(['tag_id', 'is_public'])
          .execute(),
        metadata: await db
          .selectFrom('media_metadata')
          .where('media_id', '=', mediaId)
          .select(['key', 'value'])
          .execute(),
        words: await db
          .selectFrom('media_words')
          .where('media_id', '=', mediaId)
          .select(['name', 'texts', 'tags'])
          .execute(),
      });
      expect(await kept(copy.id)).toEqual(await kept(id));
      expect((await kept(copy.id)).tags).toHaveLength(2);
      const entry = await db
        .selectFrom('audit_entry')
        .where('target_id', '=', copy.id)
        .select(['action', 'actor_id', 'details'])
        .executeTakeFirstOrThrow();
      expect({ ...entry, details: JSON.parse(entry.details) }).toEqual({
        action: 'create',
        actor_id: 'root',
        details: { type: 'image', copyOf: id },
      });
    }));

  it('gets its place and its name from the input, and its thumbnail from a job', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const [from, to] = [
        await createFolder(ctx, { name: 'A' }),
        await createFolder(ctx, { name: 'B' }),
      ];
      const png = fixtureBytes('picture.png');
      const { id } = await upload(ctx, 'picture.png', png, { folderId: from.id });
      const [original] = await filesOf(services, id);
      await createThumbnail(ctx, original!.uuid);
      const copy = await copyMedia(ctx, { id, folderId: to.id, name: ' New ' });
      expect(copy).toMatchObject({
        parentId: to.id,
        name: 'New',
        title: 'New',
        ancestorIds: [to.id],
      });
      expect(await filesOf(services, copy.id)).toHaveLength(1);
      const jobs = services.db.selectFrom('job').where('media_id', '=', copy.id);
      expect(await jobs.select('job_class').execute()).toEqual([{ job_class: 'make-rendition' }]);
      expect(await copyMedia(ctx, { id, folderId: null })).toMatchObject({ parentId: null });
      await updateMedia(ctx, id, { title: 'own' });
      expect(await copyMedia(ctx, { id, name: 'x' })).toMatchObject({ name: 'x', title: 'own' });
      await copyMedia(ctx, { id: copy.id });
      expect((await filesByMediaIds(ctx, [copy.id])).get(copy.id)).toHaveLength(1);
    }));

  it('has all files of a resource, of which a limited number is copied', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const ctx = services.as(user());
      const stored = await uploadToResource(ctx, { resource: 'r', key: null }, async (onFile) => {
        for (const filename of ['a.txt', 'b.txt']) {
          const bytes = inPieces(Buffer.from(`text of ${filename}`));
          await onFile({ filename, declaredType: null, bytes });
        }
        return { key: null, projectId: 'p' };
      });
      const id = stored[0]!.mediaId;
      const copy = await copyMedia(ctx, { id });
      const keys = (rows: { key: string; project_id: string | null }[]) =>
        rows.map(({ key, project_id }) => `${key} ${project_id}`);
      expect(keys(await filesOf(services, copy.id))).toEqual(['a.txt p', 'b.txt p']);
      const many = await makeMediaRow(db, { type: 'file' });
      for (let index = 0; index < 201; index++) {
        await makeFileRow(db, many, { key: `${index}`, dir: 'aaaaaaaa', url_name: `${index}` });
      }
      await expect(copyMedia(ctx, { id: many })).rejects.toMatchObject({
        issues: [{ path: ['id'], code: 'TOO_MANY_FILES' }],
      });
    }));

  it('is refused for an original or a folder that the viewer cannot see, and leaves nothing', () =>
    withServices(backend, async (services) => {
      const { as } = services;
      const alice = as(user('alice'));
      const { id } = await upload(alice, 'a.txt', Buffer.from('a'), { visibility: 'private' });
      const before = await leftovers(services);
      await expect(copyMedia(as(user('bob')), { id })).rejects.toThrow(
        new NotFoundError('media', id),
      );
      await expect(copyMedia(as(), { id })).rejects.toThrow(NotFoundError);
      await expect(copyMedia(alice, { id, folderId: 99_999 })).rejects.toThrow(NotFoundError);
      await expect(copyMedia(alice, { id, name: ' ' })).rejects.toThrow(InvalidInputError);
      await expect(copyMedia(as(user('r', 'reader')), { id })).rejects.toMatchObject({
        code: expect.stringMatching(/FORBIDDEN|NOT_FOUND/),
      });
      await deleteMedia(alice, id);
      await expect(copyMedia(alice, { id })).rejects.toThrow(NotFoundError);
      expect(await leftovers(services)).toMatchObject({ stored: before.stored, staged: 0 });
    }));

  it('counts for the quota of the viewer, and respects the free space of the disk', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        const { id } = await upload(ctx, 'a.bin', Buffer.alloc(400_000, 1));
        await copyMedia(ctx, { id });
        const before = await leftovers(services);
        await expect(copyMedia(ctx, { id })).rejects.toThrow(QuotaExceededError);
        const full = { ...services.settings.quotas, freeBytesMin: 2 ** 52, storedBytesMax: 0 };
        const onFullDisk = { ...ctx, settings: { ...services.settings, quotas: full } };
        await expect(copyMedia(onFullDisk, { id })).rejects.toThrow(InsufficientStorageError);
        expect(await leftovers(services)).toEqual(before);
      },
      { quotas: { ...QUOTAS, storedBytesMax: 1_000_000 } },
    ));

  it('is refused if the stored bytes are damaged', () =>
    withServices(backend, async (services) => {
      const { db, blobs } = services;
      const ctx = services.as(user());
      const [gone, changed, marked] = [
        await upload(ctx, 'a.bin', Buffer.alloc(400_000, 1)),
        await upload(ctx, 'b.bin', Buffer.alloc(400_000, 2)),
        await upload(ctx, 'c.bin', Buffer.from('c')),
      ];
      const [file] = await filesOf(services, gone.id);
      await blobs.delete(file!.blob_key);
      const files = db.updateTable('file');
      await files
        .set({ md5: '0'.repeat(32) })
        .where('media_id', '=', changed.id)
        .execute();
      await files.set({ damaged_at: 1 }).where('media_id', '=', marked.id).execute();
      const before = await leftovers(services);
      for (const { id } of [gone, changed, marked]) {
        await expect(copyMedia(ctx, { id })).rejects.toThrow(DamagedFileError);
      }
      expect(await leftovers(services)).toEqual(before);
    }));

  it('has the new bytes if the file is replaced while it is copied', () =>
    withServices(backend, async (services) => {
      const { blobs } = services;
      const ctx = services.as(user());
      const { id } = await upload(ctx, 'a.txt', Buffer.from('old'));
      let isReplaced = false;
      const readSized: typeof blobs.readSized = async (...args) => {
        const bytes = await blobs.readSized(...args);
        if (!isReplaced) {
          isReplaced = true;
          await replaceFile(ctx, id, {
            filename: 'a.txt',
            bytes: inPieces(Buffer.from('new one')),
          });
        }
        return bytes;
      };
      const copy = await copyMedia({ ...ctx, blobs: { ...blobs, readSized } }, { id });
      const [file] = await filesOf(services, copy.id);
      expect((await blobs.readSized(file!.blob_key, 7)).toString()).toBe('new one');
      // The original, its version, and the copy.
      expect(await Array.fromAsync(blobs.list())).toHaveLength(3);
    }));

  it('leaves bytes without rows only until the next sweep if the process dies', () =>
    withServices(backend, async (services) => {
      const { blobs } = services;
      const ctx = services.as(user());
      const { id } = await upload(ctx, 'a.bin', Buffer.alloc(400_000, 1));
      const died = new Error('died');
      const clock = () => {
        throw died;
      };
      // The transaction fails after the bytes have been stored, as when the database is lost.
      await expect(copyMedia({ ...ctx, clock }, { id })).rejects.toThrow(died);
      expect(await Array.fromAsync(blobs.list())).toHaveLength(2);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 1, lost: 0 });
      expect(await Array.fromAsync(blobs.list())).toHaveLength(1);
    }));

  it('keeps a tag that is added to the original later to the original', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const tag = await makeTag(services.db);
      const { id } = await upload(ctx, 'a.txt', Buffer.from('a'));
      const copy = await copyMedia(ctx, { id });
      await tagMedia(ctx, { mediaIds: [id], addTagIds: [tag.id] });
      const links = services.db.selectFrom('media_tag').where('media_id', '=', copy.id);
      expect(await links.selectAll().execute()).toEqual([]);
    }));
});
