import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { BITE_ROWS } from '../../../src/domain/job/bite.ts';
import { createTag, listTags, updateTag } from '../../../src/domain/tag/tag.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { createFolder, updateFolder } from '../../../src/domain/tree/folder.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { findMedia } from '../../../src/domain/tree/media.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { countAudit, forgetAudit, listAudit } from '../../../src/domain/viewer/audit-log.ts';
import { createApiKey } from '../../../src/domain/viewer/key.ts';
import { ADMIN, SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import type { NewNodeRow } from '../../../src/store/table.ts';
import { insertAudit } from '../../../src/store/viewer/audit.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';
import { makeFolder, makeMediaRow } from '../../support/make.ts';

const DAY_MS = 24 * 3_600_000;
const ALICE = user('alice');
const LINK = { type: 'url', url: 'https://example.org/a' } as const;

/** Returns the entries so far, the oldest first. */
async function entries(services: TestServices) {
  return (await listAudit(services.as(ADMIN), { first: 200 })).nodes.toReversed();
}

function insertions({ statements }: TestServices): string[] {
  return statements.filter((text) => text.includes('insert into "audit_entry"'));
}

function upload(services: TestServices, filename = 'a.txt') {
  const bytes = inPieces(fixtureBytes('note.txt'));
  return uploadFile(services.as(ALICE), { filename, bytes });
}

describeEachBackend('the audit log', (backend) => {
  it('names the actor, the target and the change, with the name that it had', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(ALICE);
      const media = await createMedia(ctx, { ...LINK, name: 'Before' });
      await updateMedia(ctx, media.id, { name: 'After', description: 'secret plan' });
      await updateMedia(ctx, media.id, { visibility: 'private', keywords: 'a' });
      await deleteMedia(services.as(ADMIN), media.id);
      const actor = { kind: 'user', id: 'alice', role: 'editor' };
      const target = { kind: 'media', id: media.id };
      const name = { from: 'Before', to: 'After' };
      expect(await entries(services)).toMatchObject([
        { actor, action: 'create', target: { ...target, name: 'Before' } },
        {
          ...{ actor, action: 'update', target: { ...target, name: 'Before' } },
          details: { changed: ['name', 'title', 'description'], name },
        },
        {
          action: 'update',
          target: { ...target, name: 'After' },
          details: { changed: ['keywords'] },
        },
        { action: 'change_visibility', details: { from: 'unlisted', to: 'private' } },
        { action: 'delete', actor: { kind: 'key', id: 'key:admin' }, target },
      ]);
      expect(JSON.stringify(await entries(services))).not.toContain('secret plan');
    }));

  it('has no entry for a change that changes nothing', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(ADMIN);
      const { id } = await createFolder(ctx, { name: 'A' });
      await updateFolder(ctx, id, { name: 'A', sortOrder: 0, visibility: null });
      const tag = await createTag(ctx, { name: 'a' });
      await updateTag(ctx, tag.id, { name: 'a', color: '#ffffff' });
      const { id: mediaId } = await createMedia(ctx, LINK);
      await updateMedia(ctx, mediaId, { visibility: 'unlisted', title: null });
      expect((await entries(services)).map(({ action }) => action)).toEqual([
        ...['create', 'create', 'create'],
      ]);
    }));

  it('shares the transaction: without the entry there is no change, and without the change no entry', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(ALICE);
      const media = await upload(services);
      const folder = await createFolder(ctx, { name: 'A' });
      const before = await countAudit(services.as(ADMIN));
      await expect(moveNodes(ctx, { ids: [folder.id], parentId: folder.id })).rejects.toThrow();
      expect(await countAudit(services.as(ADMIN))).toBe(before);
      await sql`alter table audit_entry rename to lost`.execute(services.db);
      await expect(createTag(services.as(ADMIN), { name: 'a' })).rejects.toThrow('audit_entry');
      await expect(updateMedia(ctx, media.id, { name: 'b' })).rejects.toThrow('audit_entry');
      await expect(deleteMedia(ctx, media.id)).rejects.toThrow('audit_entry');
      await expect(createFolder(ctx, { name: 'B' })).rejects.toThrow('audit_entry');
      await expect(upload(services, 'b.txt')).rejects.toThrow('audit_entry');
      await expect(createApiKey(services.as(ADMIN), { name: 'k', role: 'reader' })).rejects.toThrow(
        'audit_entry',
      );
      // The next test uses the same database.
      await sql`alter table lost rename to audit_entry`.execute(services.db);
      expect((await listTags(ctx, {}, {})).nodes).toEqual([]);
      expect(await findMedia(ctx, { id: media.id })).toMatchObject({ name: 'a.txt' });
      const rows = await services.db.selectFrom('media').select('id').execute();
      // The root, the folder and the media item.
      expect(rows).toHaveLength(3);
      expect(await services.db.selectFrom('api_key').select('id').execute()).toEqual([]);
    }));

  it('takes one insertion for each operation, also for many nodes, and none for what is read', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(ADMIN);
      const folder = await createFolder(ctx, { name: 'A' });
      const medias = [await upload(services), await upload(services), await upload(services)];
      const ids = medias.map(({ id }) => id);
      services.statements.length = 0;
      await moveNodes(ctx, { ids, parentId: folder.id });
      expect(insertions(services)).toHaveLength(1);
      const moved = (await entries(services)).slice(-3);
      expect(moved.map(({ target }) => target.id)).toEqual(ids);
      expect(moved[0]).toMatchObject({ action: 'move', details: { from: null, to: folder.id } });
      services.statements.length = 0;
      await deleteFolder(ctx, folder.id, { recursive: true });
      expect(insertions(services)).toHaveLength(1);
      const deleted = (await entries(services)).slice(-4).map(({ target }) => target.id);
      expect(deleted.toSorted()).toEqual([...ids, folder.id].toSorted());
      services.statements.length = 0;
      await listTags(ctx, {}, {});
      await findMedia(ctx, { id: 1 });
      expect(services.statements.join()).not.toContain('audit');
    }));

  it('costs a new tag one statement on SQLite, and none on PostgreSQL', () =>
    withServices(backend, async (services) => {
      const { id, name } = await createTag(services.as(ADMIN), { name: 'a' });
      expect(services.statements).toHaveLength(backend.name === 'sqlite' ? 2 : 1);
      expect(await entries(services)).toMatchObject([{ target: { kind: 'tag', id, name } }]);
    }));

  it('has one entry for a folder with too many nodes for one transaction, with their number', () =>
    withServices(backend, async (services) => {
      const folder = await makeFolder(services.db, { name: 'Large' });
      const place = { parent_id: folder, level: 2, path: `/1/${folder}/` };
      const row = await services.db
        .selectFrom('media')
        .where('id', '=', await makeMediaRow(services.db, place))
        .selectAll()
        .executeTakeFirstOrThrow();
      const copies = Array.from({ length: BITE_ROWS }, (_, index): NewNodeRow => {
        const { id: _id, ...columns } = row;
        return { ...columns, uuid: `00000000-0000-4000-9000-${String(index).padStart(12, '0')}` };
      });
      await services.db.insertInto('media').values(copies).execute();
      await deleteFolder(services.as(ADMIN), folder, { recursive: true });
      expect(await entries(services)).toMatchObject([
        {
          ...{ action: 'delete', target: { kind: 'folder', id: folder, name: 'Large' } },
          details: { nodes: BITE_ROWS + 2 },
        },
      ]);
    }));

  it('tells the operator from the server', () =>
    withServices(backend, async (services) => {
      const input = { name: 'a', role: 'reader' } as const;
      await createApiKey({ ...services.as(SYSTEM), isOperator: true }, input);
      await createApiKey(services.as(SYSTEM), input);
      expect((await entries(services)).map(({ actor }) => actor)).toEqual([
        { kind: 'cli', id: null, role: 'admin' },
        { kind: 'server', id: null, role: 'admin' },
      ]);
    }));

  it('is kept for as many days as the setting says, and is deleted in batches after that', () =>
    withServices(
      backend,
      async (services) => {
        const { db, clock } = services;
        const ctx = services.as(ADMIN);
        const row = { actor_kind: 'user', actor_id: 'a', actor_role: 'admin', action: 'create' };
        const target = { target_kind: 'tag', target_id: 1, target_name: 'a', details: '{}' };
        const many = Array.from({ length: 501 }, () => ({ ...row, ...target, at: clock() }));
        await insertAudit(db, many);
        services.advance(7 * DAY_MS);
        await createTag(ctx, { name: 'b' });
        expect(await forgetAudit(services)).toBe(0);
        services.advance(1);
        services.statements.length = 0;
        expect(await forgetAudit(services)).toBe(501);
        expect(services.statements).toHaveLength(2);
        expect(await entries(services)).toMatchObject([{ target: { name: 'b' } }]);
      },
      { auditDays: 7 },
    ));

  it('is neither written nor kept with 0 days', () =>
    withServices(backend, async (services) => {
      await createTag(services.as(ADMIN), { name: 'a' });
      services.settings.auditDays = 0;
      services.statements.length = 0;
      await createTag(services.as(ADMIN), { name: 'b' });
      await upload(services);
      await createFolder(services.as(ALICE), { name: 'A' });
      expect(services.statements.join()).not.toContain('audit');
      expect(await countAudit(services.as(ADMIN))).toBe(1);
      services.advance(1);
      await forgetAudit(services);
      expect(await countAudit(services.as(ADMIN))).toBe(0);
    }));
});
