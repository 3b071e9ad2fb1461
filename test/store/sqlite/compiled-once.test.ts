import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import type { Db } from '../../../src/store/db.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';

/*
 * SQLite compiles a statement anew at each execution if it compares a parameter with a column of the condition of a
 * partial index, because the value decides whether the index fits. That takes longer than most statements: 77 of the
 * 110 µs of the SQL of a media item. Such values are literals (`sql.lit`), or the column has a `+` (`unindexed`).
 */

it('no statement of a request is compiled anew at each execution', async () => {
  await withApp(
    BACKENDS[0]!,
    async (app) => {
      const columns = await columnsOfConditions(app.services.db);
      expect(columns).toContainEqual({ table: 'media', column: 'type' });
      expect(columns).toContainEqual({ table: 'job', column: 'status' });
      await use(app);
      expect(app.statements.length).toBeGreaterThan(50);
      const compiledAnew = app.statements.filter((statement) =>
        columns.some((column) => comparesParameter(statement, column)),
      );
      expect([...new Set(compiledAnew)]).toEqual([]);
    },
    { TRIVIUM_JOB_CONCURRENCY: '1' },
  );
});

interface Column {
  table: string;
  column: string;
}

/** Returns the columns that conditions of partial indexes compare with values. */
async function columnsOfConditions(db: Db): Promise<Column[]> {
  const { rows } = await sql<{ table: string; condition: string }>`select tbl_name as "table",
    substr(sql, instr(lower(sql), ' where ')) as condition from sqlite_schema
    where type = 'index' and lower(sql) like '% where %'`.execute(db);
  return rows.flatMap(({ table, condition }) =>
    [...condition.matchAll(/"?(\w+)"? (?:=|<>|>|in) /g)].map(([, column = '']) => ({
      table,
      column,
    })),
  );
}

function comparesParameter(statement: string, { table, column }: Column): boolean {
  const isOfTable = new RegExp(`(from|update|join) "?${table}"?\\b`).test(statement);
  const name = `(?:"?${table}"?\\.)?(?<![+.\\w"])"?${column}"?`;
  const qualified = `(?<![+.\\w"])"?${table}"?\\."?${column}"?`;
  const compared = new RegExp(`where.*(?:${name}|${qualified}) (?:=|!=|<>|>|in) \\(?\\?`, 's');
  return isOfTable && compared.test(statement);
}

/** Uploads, reads and deletes as an admin, in GraphQL and over REST, and runs the jobs of that. */
async function use(app: TestApp): Promise<void> {
  const authorization = `Bearer ${app.adminKey}`;
  const ask = async (text: string, variables = {}, files?: Record<string, File>) =>
    (await graphql(app, text, variables, { authorization, ...(files && { files }) })).data;
  const { createFolder } = await ask(CREATE_FOLDER);
  const chunk = { chunk: null, filename: 'note.txt', totalBytes: 4, offset: 0 };
  const files = { 'input.chunk': new File(['text'], 'note.txt') };
  const { uploadId } = (await ask(UPLOAD_CHUNK, { input: chunk }, files)).uploadChunk.session;
  const md5 = createHash('md5').update('text').digest('hex');
  const input = { uploadId, md5, folderId: createFolder.folder.id };
  const { media } = (await ask(COMPLETE_UPLOAD, { input })).completeUpload;
  for (const by of [`databaseId: ${media.databaseId}`, `uuid: "${media.uuid}"`])
    await ask(`{ media(by: { ${by} }) { id ancestors { name } tags { name } files { url } } }`);
  await ask('{ folder(by: { path: "/photos" }) { medias { nodes { id } totalCount } } }');
  const paths = [`/media/${createFolder.folder.uuid}`, `/medias/${media.uuid}`, '/api/v2/tag/'];
  for (const path of [new URL(media.file.url).pathname, ...paths])
    await app.fetch(path, { asAdmin: true });
  await ask(DELETE_MEDIA, { id: media.id });
  const hasEnded = () => app.statements.some((statement) => statement.includes('finished_at'));
  await vi.waitUntil(hasEnded, { timeout: 10_000 });
}

const CREATE_FOLDER = `mutation {
  createFolder(input: { name: "photos" }) { ... on CreateFolderSuccess { folder { id uuid } } }
}`;
const UPLOAD_CHUNK = `mutation ($input: UploadChunkInput!) {
  uploadChunk(input: $input) { ... on UploadChunkSuccess { session { uploadId } } }
}`;
const COMPLETE_UPLOAD = `mutation ($input: CompleteUploadInput!) {
  completeUpload(input: $input) {
    ... on CompleteUploadSuccess { media { id databaseId uuid file { url } } }
  }
}`;
const DELETE_MEDIA = `mutation ($id: ID!) {
  deleteMedia(input: { id: $id }) { __typename }
}`;
