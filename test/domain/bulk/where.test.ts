import { expect, it, vi } from 'vitest';
import { deleteWhere } from '../../../src/domain/bulk/delete-where.ts';
import type { StartedWhere } from '../../../src/domain/bulk/selection.ts';
import { tagWhere } from '../../../src/domain/bulk/tag-where.ts';
import { updateWhere } from '../../../src/domain/bulk/update-where.ts';
import type { Context } from '../../../src/domain/context.ts';
import { ForbiddenError } from '../../../src/domain/error.ts';
import type { MediaEvent } from '../../../src/domain/event/event.ts';
import { signalJob } from '../../../src/domain/job/signal.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import type { MediaFilter } from '../../../src/domain/tree/media-filter.ts';
import { countMedias } from '../../../src/domain/tree/media-list.ts';
import { createApiKey, revokeApiKey } from '../../../src/domain/viewer/key.ts';
import { createUser, deleteUser, updateUser } from '../../../src/domain/viewer/user.ts';
import { keyId, userId, type Viewer } from '../../../src/domain/viewer/viewer.ts';
import { TASKS } from '../../../src/job/task/index.ts';
import type { NewNodeRow } from '../../../src/store/table.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeBranch, tagAll } from '../../support/branch.ts';
import { makeFolder, makeMediaRow, makeTag } from '../../support/make.ts';
import { jobIn, readJob, withWorker } from '../../support/worker.ts';

const TASKS_HERE = {
  'delete-where': TASKS['delete-where'],
  'tag-where': TASKS['tag-where'],
  'update-where': TASKS['update-where'],
};

const admin = ({ as }: TestServices) => as(user('root', 'admin'));

/** Runs a job until it has ended, and returns it. */
function finish(
  services: TestServices,
  { job }: StartedWhere,
  status: 'completed' | 'errored' = 'completed',
) {
  return withWorker(services, TASKS_HERE, () => jobIn(services, job!.id, status));
}

async function makeMedias(services: TestServices, count: number, columns: Partial<NewNodeRow>) {
  const ids: number[] = [];
  for (let index = 0; index < count; index++) ids.push(await makeMediaRow(services.db, columns));
  return ids;
}

const rowsOf = (services: TestServices, column: 'name' | 'title' | 'keywords' | 'id') =>
  services.db
    .selectFrom('media')
    .where('type', '!=', 'folder')
    .orderBy('id')
    .select([column, 'id'])
    .execute();

async function entriesOf({ db }: TestServices) {
  const rows = await db
    .selectFrom('audit_entry')
    .orderBy('id')
    .select(['action', 'actor_id', 'target_kind', 'target_id', 'details'])
    .execute();
  return rows.map(({ details, ...row }) => ({ ...row, details: JSON.parse(details) }));
}

describeEachBackend('changes of all media that match a filter', (backend) => {
  it('a dry run counts, and starts nothing', () =>
    withServices(backend, async (services) => {
      await makeMedias(services, 3, { keywords: 'old' });
      await makeMedias(services, 2, { keywords: 'new', type: 'doc' });
      const ctx = admin(services);
      const filter = { types: ['doc'] };
      for (const started of [
        await deleteWhere(ctx, { filter, dryRun: true }),
        await updateWhere(ctx, { filter, dryRun: true, title: 't' }),
        await tagWhere(ctx, { filter, dryRun: true, removeTagIds: [7] }),
      ]) {
        expect(started).toEqual({ job: null, count: 2 });
      }
      expect(await services.db.selectFrom('job').selectAll().execute()).toEqual([]);
      expect(await entriesOf(services)).toEqual([]);
    }));

  it('deletes media into the trash, with an entry of the log and an event for each', () =>
    withServices(backend, async (services) => {
      const ctx = admin(services);
      const [a, b] = await makeMedias(services, 2, { type: 'doc', owner: 'bob' });
      const kept = await makeMediaRow(services.db, { owner: 'bob' });
      const abort = new AbortController();
      const events: string[] = [];
      const watch = (async () => {
        const all = services.events.subscribe(
          (event): event is MediaEvent => event.type === 'media',
          abort.signal,
        );
        for await (const { kind, id } of all) events.push(`${kind} ${id}`);
      })();
      const started = await deleteWhere(ctx, { filter: { types: ['doc'] } });
      expect(started).toMatchObject({
        count: 2,
        job: { jobClass: 'delete-where', startedBy: 'root' },
      });
      const job = await finish(services, started);
      expect(job).toMatchObject({ result: { media_changed: 2 }, progress: 1 });
      expect((await rowsOf(services, 'id')).map(({ id }) => id)).toEqual([kept]);
      const trashed = services.db.selectFrom('trashed_node').orderBy('id').select('id');
      expect((await trashed.execute()).map(({ id }) => id)).toEqual([a, b]);
      expect(await entriesOf(services)).toMatchObject([
        { action: 'start', target_kind: 'job', target_id: job.id, details: { count: 2 } },
        { action: 'delete', actor_id: 'root', target_id: a },
        { action: 'delete', actor_id: 'root', target_id: b },
      ]);
      abort.abort();
      await watch.catch(() => undefined);
      expect(events.sort()).toEqual([`deleted ${a}`, `deleted ${b}`].sort());
    }));

  it('changes fields after which media no longer match, each once, and adds tags', () =>
    withServices(backend, async (services) => {
      const ctx = admin(services);
      const branch = await makeBranch(services.db, 450);
      const tag = await makeTag(services.db, { name: 'done' });
      const other = await makeMediaRow(services.db, { name: 'other' });
      const filter: MediaFilter = { search: 'needle', createdAt: { from: new Date(0) } };
      const change = { name: 'changed', visibility: 'private', tagIds: [tag.id] };
      const started = await updateWhere(ctx, { filter, ...change });
      const job = await finish(services, started);
      expect(job.result).toEqual({ media_changed: 450 });
      expect(await countMedias(ctx, filter)).toBe(0);
      expect(await countMedias(ctx, { search: 'changed', tagIds: [tag.id] })).toBe(450);
      expect(await countMedias(ctx, { visibility: ['private'] })).toBe(450);
      const files = services.db.selectFrom('file').where('dir', '=', branch.urlPath.dir);
      expect(await files.select('id').execute()).toEqual([]);
      const names = await rowsOf(services, 'name');
      expect(names.find(({ id }) => id === other)).toMatchObject({ name: 'other' });
      const entries = (await entriesOf(services)).filter(
        ({ target_kind }) => target_kind === 'media',
      );
      expect(Map.groupBy(entries, ({ action }) => action)).toEqual(
        new Map(
          ['update', 'change_visibility', 'tag'].map((action) => [action, expect.anything()]),
        ),
      );
      expect(entries).toHaveLength(450 * 3);
    }));

  it('adds and removes tags, also the one that the filter asks for', () =>
    withServices(backend, async (services) => {
      const ctx = admin(services);
      const branch = await makeBranch(services.db, 300);
      const [from, to] = [await makeTag(services.db), await makeTag(services.db, { name: 'b' })];
      await tagAll(services.db, from.id, branch.mediaIds.slice(0, 260));
      const filter = { tagIds: [from.id], underFolderId: branch.id };
      const tags = { addTagIds: [to.id], removeTagIds: [from.id] };
      const started = await tagWhere(ctx, { filter, ...tags });
      expect(started.count).toBe(260);
      expect((await finish(services, started)).result).toEqual({ media_changed: 260 });
      expect(await countMedias(ctx, { tagIds: [from.id] })).toBe(0);
      expect(await countMedias(ctx, { tagIds: [to.id] })).toBe(260);
    }));

  it('leaves alone media that were created, or stopped matching, after the start', () =>
    withServices(backend, async (services) => {
      const ctx = admin(services);
      const [a, b] = await makeMedias(services, 2, { keywords: 'pin' });
      const started = await updateWhere(ctx, { filter: { search: 'pin' }, title: 'T' });
      const later = await createMedia(ctx, { type: 'url', url: 'https://a.b/', keywords: 'pin' });
      await services.db
        .updateTable('media_words')
        .set({ texts: '' })
        .where('media_id', '=', b!)
        .execute();
      expect((await finish(services, started)).result).toEqual({ media_changed: 1 });
      const titles = new Map((await rowsOf(services, 'title')).map((row) => [row.id, row]));
      expect(titles.get(a!)).toMatchObject({ title: 'T' });
      expect(titles.get(b!)).not.toMatchObject({ title: 'T' });
      expect(titles.get(later.id)).not.toMatchObject({ title: 'T' });
    }));

  it('a viewer who is no admin changes only what it has created, and the count says so', () =>
    withServices(backend, async (services) => {
      const { as } = services;
      const own = await makeMedias(services, 2, { owner: 'alice', type: 'doc' });
      await makeMedias(services, 3, { owner: 'bob', type: 'doc' });
      const alice = as(user('alice'));
      const filter = { types: ['doc'] };
      expect(
        await deleteWhere(alice, { filter: { ...filter, ownedBy: 'bob' }, dryRun: true }),
      ).toEqual({ job: null, count: 0 });
      const started = await deleteWhere(alice, { filter });
      expect(started.count).toBe(2);
      await finish(services, started);
      expect(await countMedias(admin(services), filter)).toBe(3);
      const trashed = await services.db.selectFrom('trashed_node').select('id').execute();
      expect(trashed.map(({ id }) => id).sort()).toEqual(own);
      await expect(deleteWhere(as(user('r', 'reader')), { filter })).rejects.toThrow(
        ForbiddenError,
      );
      await expect(tagWhere(as(), { filter, removeTagIds: [1] })).rejects.toMatchObject({
        code: 'NOT_AUTHENTICATED',
      });
    }));

  it('a viewer with start nodes changes nothing outside them, and never a start node itself', () =>
    withServices(backend, async (services) => {
      const { db, as } = services;
      const folder = await makeFolder(db);
      const inside = { parent_id: folder, level: 2, path: `/1/${folder}/` };
      const [a, limit] = [await makeMediaRow(db, inside), await makeMediaRow(db, inside)];
      await makeMediaRow(db, {});
      const startNodes = [
        { id: folder, below: `/1/${folder}/` },
        { id: limit, below: `/1/${folder}/${limit}/` },
      ];
      const ctx = as({ kind: 'user', id: 'jane', role: 'admin', startNodes });
      const started = await deleteWhere(ctx, { filter: { types: ['image'] } });
      expect(started.count).toBe(2);
      await finish(services, started);
      const trashed = await db.selectFrom('trashed_node').select('id').execute();
      // Of nested start nodes only the outer one is one.
      expect(trashed.map(({ id }) => id).sort()).toEqual([a, limit]);
    }));

  it('refuse bad input at the start', () =>
    withServices(backend, async (services) => {
      const ctx = admin(services);
      const filter = { types: ['doc'] };
      const message = /^Give at least one field to change\.$/;
      await expect(updateWhere(ctx, { filter })).rejects.toThrow(message);
      const issue = (path: string[]) => ({ issues: [{ path }] });
      const refused: [() => Promise<unknown>, object][] = [
        [
          () => deleteWhere(ctx, { filter: { tagIds: Array(99).fill(1) } }),
          issue(['filter', 'tagIds']),
        ],
        [() => updateWhere(ctx, { filter }), issue([])],
        [() => updateWhere(ctx, { filter, tagIds: [] }), issue([])],
        [() => updateWhere(ctx, { filter, name: ' ' }), issue(['name'])],
        [
          () => updateWhere(ctx, { filter, isPublic: true, visibility: 'private' }),
          issue(['isPublic']),
        ],
        [() => tagWhere(ctx, { filter }), issue(['addTagIds'])],
        [() => tagWhere(ctx, { filter, addTagIds: [99] }), { code: 'NOT_FOUND' }],
        [() => updateWhere(ctx, { filter, tagIds: [99] }), { code: 'NOT_FOUND' }],
      ];
      for (const [work, error] of refused) await expect(work()).rejects.toMatchObject(error);
      expect(await services.db.selectFrom('job').selectAll().execute()).toEqual([]);
    }));

  it('fail with a reason if the viewer has lost its rights when the job runs', () =>
    withServices(backend, async (services) => {
      const root = admin(services);
      const { id } = await createUser(root, {
        name: 'eve',
        role: 'admin',
        password: 'correct horse battery',
      });
      const { apiKey } = await createApiKey(root, { name: 'k', role: 'editor' });
      const eve = { kind: 'user', id: userId('eve') } as const;
      const key = { kind: 'key', id: keyId(apiKey.viewerId.slice(4)), role: 'editor' } as const;
      await makeMedias(services, 2, { owner: key.id, type: 'doc' });
      const start = (viewer: Viewer) =>
        deleteWhere(services.as(viewer), { filter: { types: ['doc'] } });
      const losses: [Viewer, () => Promise<unknown>, RegExp][] = [
        [{ ...eve, role: 'admin' }, () => updateUser(root, id, { role: 'editor' }), /role/],
        [{ ...eve, role: 'editor' }, () => updateUser(root, id, { role: 'reader' }), /role/],
        [{ ...eve, role: 'editor' }, () => deleteUser(root, id), /gone/],
        [key, () => revokeApiKey(root, apiKey.id), /no longer valid/],
      ];
      for (const [viewer, revoke, reason] of losses) {
        const started = await start(viewer);
        await revoke();
        const job = await finish(services, started, 'errored');
        expect(job.error).toMatch(reason);
        expect(job.error).toMatch(/^PermanentError/);
      }
      expect(await countMedias(root, { types: ['doc'] })).toBe(2);
    }));

  it('fail with a reason if a tag is gone by then', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      await makeMedias(services, 2, { type: 'doc' });
      const tag = await makeTag(db);
      const filter = { types: ['doc'] };
      const started = await tagWhere(admin(services), { filter, addTagIds: [tag.id] });
      await db.deleteFrom('tag').where('id', '=', tag.id).execute();
      expect((await finish(services, started, 'errored')).error).toMatch(/no tag/);
    }));

  it('can be cancelled, and then goes on where they stopped', () =>
    withServices(backend, async (services) => {
      const ctx = admin(services);
      await makeBranch(services.db, 900);
      const started = await updateWhere(ctx, { filter: { types: ['image'] }, name: 'new' });
      const id = started.job!.id;
      const changed = () => countMedias(ctx, { search: 'new' });
      await withWorker(services, TASKS_HERE, async () => {
        await vi.waitUntil(async () => (await changed()) > 0, { timeout: 60_000, interval: 1 });
        await signalJob(ctx, id, { signal: 'cancel' });
        await jobIn(services, id, 'cancelled');
      });
      const some = await changed();
      expect(some).toBeLessThan(900);
      expect((await readJob(services, id)).result).toMatchObject({ media_changed: some });
      await signalJob(ctx, id, { signal: 'retry' });
      expect((await finish(services, started)).result).toEqual({ media_changed: 900 });
      expect(await changed()).toBe(900);
      const updates = services.db.selectFrom('audit_entry').where('action', '=', 'update');
      expect(await updates.select('id').execute()).toHaveLength(900);
    }));

  it('need a number of statements that does not depend on the number of media of a step', () =>
    withServices(backend, async (services) => {
      const { db, statements } = services;
      const ctx: Context = admin(services);
      const counts: number[] = [];
      for (const count of [5, 40]) {
        const keywords = `word${count}`;
        const place = await makeFolder(db);
        await makeMedias(services, count, { keywords, parent_id: place, path: `/1/${place}/` });
        const started = await updateWhere(ctx, { filter: { folderId: place }, title: 'T' });
        const job = { jobId: started.job!.id, startedBy: { id: 'root', role: 'admin' } };
        await db
          .updateTable('job')
          .set({ status: 'running' })
          .where('id', '=', job.jobId)
          .execute();
        statements.length = 0;
        const run = { ...job, signal: new AbortController().signal, progress: () => undefined };
        await TASKS['update-where'](
          services.as(user('s', 'admin')),
          started.job!.arguments as never,
          run,
        );
        counts.push(statements.length);
      }
      expect(counts[1]).toBe(counts[0]);
    }));
});
