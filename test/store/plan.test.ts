import {
  type KyselyPlugin,
  NoResultError,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  QueryNode,
  type RawBuilder,
  type RootOperationNode,
  SelectQueryNode,
  sql,
} from 'kysely';
import { expect, it } from 'vitest';
import { type Keyset, keysetBy } from '../../src/store/cursor.ts';
import type { Db } from '../../src/store/db.ts';
import { setFastPath } from '../../src/store/fast-path.ts';
import * as address from '../../src/store/file/address.ts';
import * as blobKey from '../../src/store/file/blob-key.ts';
import * as file from '../../src/store/file/file.ts';
import { findFileByOldUrl, findFileByUrl } from '../../src/store/file/sent-file.ts';
import * as version from '../../src/store/file/version.ts';
import * as job from '../../src/store/job/job.ts';
import * as jobRun from '../../src/store/job/run.ts';
import * as rendition from '../../src/store/rendition/rendition.ts';
import { EVERYTHING } from '../../src/store/scope.ts';
import * as tag from '../../src/store/tag/tag.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { listTrashedTops } from '../../src/store/trash/list.ts';
import { findTrashedResource } from '../../src/store/trash/row.ts';
import { listTrashedIn } from '../../src/store/trash/work.ts';
import * as folder from '../../src/store/tree/folder.ts';
import * as media from '../../src/store/tree/media.ts';
import * as node from '../../src/store/tree/node.ts';
import * as upload from '../../src/store/upload/upload.ts';
import * as audit from '../../src/store/viewer/audit.ts';
import * as key from '../../src/store/viewer/key.ts';
import { findUsages } from '../../src/store/viewer/usage.ts';
import { type Backend, describeEachBackend } from '../support/backend.ts';
import { NEWEST_FIRST } from '../support/keyset.ts';

const FIRST = { limit: 50, backward: false };
const NEXT = { ...FIRST, after: [1000] };
const ALL = EVERYTHING;
const AUDIT_ORDER = keysetBy('audit', { name: 'at', type: 'number' }, true);
const UPLOAD_ORDER: Keyset = {
  name: 'uploads',
  columns: [
    { name: 'created_at', type: 'number' },
    { name: 'upload_id', type: 'string' },
  ],
  descending: true,
};
const BY_NAME = keysetBy('by name', { name: 'name_sort', type: 'string' });

/**
 * Every query that runs on a growing table, except counts and the lists of nodes, files and jobs: see `plan-list.test.ts`
 * and `file/search.test.ts`.
 */
const QUERIES: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
  'start nodes by uuid': (db) => node.listNodesByUuids(db, ALL, ['a', 'b']),
  'media by ids': (db) => media.listMediasByIds(db, ALL, [1, 2]),
  'media by uuid': (db) => media.findMediaByUuid(db, ALL, 'a'),
  'media by resource': (db) => media.findMediaByResource(db, ALL, 'a'),
  'the place of a new child': (db) => node.nextSortOrder(db, 1),
  'folders by ids': (db) => folder.listFoldersByIds(db, ALL, [1, 2]),
  'folders by name': (db) => folder.listFoldersByName(db, ALL, [1, 2], 'a'),
  'files by ids': (db) => file.listFilesByIds(db, ALL, [1, 2]),
  'files of media': (db) => file.listFilesByMediaIds(db, ALL, [1]),
  'a file by URL': (db) => findFileByUrl(db, ALL, 'dir', 'name'),
  'whether a dir is taken': (db) => file.isDirTaken(db, 'dir'),
  'a file by id': (db) => file.findFileById(db, ALL, 1),
  'a file by uuid': (db) => file.findFileByUuid(db, ALL, 'a'),
  'a file by key': (db) => file.findFileByKey(db, ALL, 1, 'a'),
  'the dir of a media item': (db) => file.findDir(db, ALL, 1),
  'names in URLs of a media item': (db) => address.listUrlNames(db, 1),
  'whether a name in URLs is taken': (db) =>
    address.isUrlNameTaken(db, { media_id: 1, dir: 'dir', url_name: 'name' }),
  'a file by an old URL': (db) => findFileByOldUrl(db, ALL, 'dir', 'name'),
  'versions by ids': (db) => version.listVersionsByIds(db, ALL, [1, 2]),
  'a version by URL': (db) => version.findVersionByUrl(db, ALL, { dir: 'dir', uuid: 'a' }),
  'the number of versions of media': (db) => version.countVersionsOfEach(db, [1, 2]),
  'blobs of files': (db) => blobKey.listKnownFileBlobKeys(db, ['a']),
  'files by blob': (db) => blobKey.listFilesByBlobKey(db, { after: 'a', upTo: 'b' }, 10),
  'the first page of the trash': (db) => listTrashedTops(db, { owner: null, within: null }, FIRST),
  'the trash of an owner': (db) => listTrashedTops(db, { owner: 'a', within: null }, FIRST),
  'the owner of a resource in the trash': (db) => findTrashedResource(db, 'a'),
  'a part of the trash': (db) =>
    listTrashedIn(db, { deletion: 'a', below: '1/' }, { limit: 10, up: true }),
  'a rendition': (db) => rendition.findRendition(db, 'a', 'b'),
  'blobs of renditions': (db) => rendition.listKnownRenditionBlobKeys(db, ['a']),
  'the first page of tags': (db) => tag.listTags(db, {}, NEWEST_FIRST, FIRST),
  'the next page of tags': (db) => tag.listTags(db, {}, NEWEST_FIRST, NEXT),
  'the first page of tags by name': (db) => tag.listTags(db, {}, BY_NAME, FIRST),
  'tags by ids': (db) => tag.listTagsByIds(db, [1, 2]),
  'an upload': (db) => upload.findUpload(db, 'a'),
  'the open uploads of a viewer': (db) =>
    upload.listOpenUploads(db, { owner: 'a', now: 1 }, UPLOAD_ORDER, FIRST),
  'the next open uploads of a viewer': (db) =>
    upload.listOpenUploads(db, { owner: 'a', now: 1 }, UPLOAD_ORDER, { ...FIRST, after: [1, 'a'] }),
  'blobs of uploads': (db) => upload.listOpenUploadBlobKeys(db, ['a']),
  'a job by unicity': (db) => job.findOpenJobByUnicity(db, 'a'),
  'classes with a due job': (db) => jobRun.listDueClasses(db, ['sweep', 'import-url'], 1),
  'the next due job': (db) => jobRun.findNextDue(db, ['sweep', 'import-url']),
  'jobs whose worker is lost': (db) => jobRun.listLostJobs(db, 1, 100),
  'the usages of a viewer and its address': (db) => findUsages(db, ['viewer:a', 'address:b']),
  'runs of jobs': (db) => job.listAttemptsByJobIds(db, [1]),
  'a key': (db) => key.findKeyBySha256(db, 'a'),
};

/**
 * Queries that sort: at most a handful of rows by a column that the index does not have next, or a page of each of several
 * tables.
 */
const SORTED_AFTERWARDS = ['folders by name', 'files of media', 'files by blob'];

describeEachBackend('an index serves', (backend) => {
  it.each(Object.entries(QUERIES))('%s', (name, query) =>
    backend.withDb(async (db) => {
      const plan = await explain(backend, db, query);
      expect(plan).not.toBe('');
      // SQLite's table is the index by id: a first page starts at its end.
      const isFirst = name.startsWith('the first page');
      expect(plan).not.toMatch(isFirst ? /Seq Scan/ : /Seq Scan|SCAN (?!json_each|listed)/);
      if (!SORTED_AFTERWARDS.includes(name)) expect(plan).not.toMatch(/Sort|TEMP B-TREE/);
    }),
  );
});

/** A page of the audit log for each filter, and the index that has its entries in their order. */
const AUDIT_PAGES: readonly [index: string, filter: audit.AuditFilter, page?: typeof FIRST][] = [
  ['audit_at', {}],
  ['audit_at', {}, { ...FIRST, after: [1, 1] } as typeof FIRST],
  ['audit_at', { from: 1, to: 2 }],
  ['audit_actor', { actorId: 'a' }],
  ['audit_action', { action: 'create', from: 1 }],
  ['audit_target', { target: { kind: 'media', id: 1 } }],
  ['audit_target', { target: { kind: 'media', id: 1 }, actorId: 'a', action: 'create' }],
];

describeEachBackend('the audit log is read', (backend) => {
  it.each(AUDIT_PAGES)('by %s for %j', (index, filter, page = FIRST) =>
    backend.withDb(async (db) => {
      const query = (db: Db) => audit.listAudit(db, [filter], AUDIT_ORDER, page);
      const plan = await explain(backend, db, query);
      expect(plan).toContain(index);
      expect(plan).not.toMatch(/Seq Scan|Sort|TEMP B-TREE/);
    }),
  );
});

/**
 * Returns the plan of a store function's query. PostgreSQL would scan and sort tables this small, if it were free to.
 */
async function explain(
  { name }: Backend,
  db: Db,
  query: (db: Db) => Promise<unknown>,
): Promise<string> {
  const explainer = new Explainer(name === 'sqlite' ? sql`query plan` : sql`costs off`);
  // The fast path hides its queries from plugins.
  setFastPath(db, false);
  await inTransaction(db, async (db) => {
    if (name === 'postgres') await sql`set local enable_seqscan = off`.execute(db);
    if (name === 'postgres') await sql`set local enable_sort = off`.execute(db);
    await query(db.withPlugin(explainer)).catch(ignoreNoRow);
  });
  return explainer.plan;
}

function ignoreNoRow(error: unknown): void {
  if (!(error instanceof NoResultError)) throw error;
}

/** Requests the plan of each `select` instead of its rows. */
class Explainer implements KyselyPlugin {
  plan = '';
  readonly #options: RawBuilder<unknown>;

  constructor(options: RawBuilder<unknown>) {
    this.#options = options;
  }

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    return SelectQueryNode.is(node)
      ? QueryNode.cloneWithExplain(node, undefined, this.#options)
      : node;
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    for (const row of result.rows) this.plan += `${row.detail ?? row['QUERY PLAN']}\n`;
    return { ...result, rows: [] };
  }
}
