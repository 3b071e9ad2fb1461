import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

/** Starts a session; `null`: of an anonymous viewer. */
async function start(app: TestApp, sub: string | null, filename: string): Promise<string> {
  const query = `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) {
    ... on UploadChunkSuccess { session { uploadId } } } }`;
  const input = { chunk: null, offset: 0, totalBytes: 10, filename };
  const files = { 'input.chunk': new File(['abc'], filename) };
  const options = { files, ...(sub !== null && (await bearer(sub))) };
  return (await graphql(app, query, { input }, options)).data.uploadChunk.session.uploadId;
}

async function list(app: TestApp, sub: string | null, args = '') {
  const query = `{ uploadSessions${args} { totalCount pageInfo { hasNextPage endCursor }
    nodes { uploadId filename offset sizeBytes expiresAt } } }`;
  const answer = await graphql(app, query, {}, sub === null ? {} : await bearer(sub));
  return answer.data?.uploadSessions ?? answer.errors;
}

const idsOf = ({ nodes }: { nodes: { uploadId: string }[] }) => nodes.map((one) => one.uploadId);

describeEachBackend('uploadSessions', (backend) => {
  const shared = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'open' });

  test('lists the open sessions of the viewer, newest first, in pages', async () => {
    const app = shared();
    const ids: string[] = [];
    for (const name of ['a.txt', 'b.txt', 'c.txt']) ids.unshift(await start(app, 'alice', name));
    await start(app, 'bob', 'other.txt');
    const all = await list(app, 'alice');
    expect(all.totalCount).toBe(3);
    expect(idsOf(all).toSorted()).toEqual(ids.toSorted());
    expect(all.nodes[0]).toMatchObject({
      offset: 3,
      sizeBytes: 10,
      filename: /^.\.txt$/.exec(all.nodes[0].filename)?.[0],
    });
    const first = await list(app, 'alice', '(first: 2)');
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await list(app, 'alice', `(first: 2, after: "${first.pageInfo.endCursor}")`);
    expect([...idsOf(first), ...idsOf(rest)]).toEqual(idsOf(all));
    expect(idsOf(await list(app, 'alice', '(last: 1)'))).toEqual(idsOf(all).slice(2));
    // Of the same time, in an order of their own; otherwise the newest is the first.
    const { db } = app.services;
    for (const [index, id] of ids.entries()) {
      await db
        .updateTable('upload')
        .set({ created_at: 1000 - index } as never)
        .where('upload_id', '=', id)
        .execute();
    }
    expect(idsOf(await list(app, 'alice'))).toEqual(ids);
  });

  test('lists none that is completed, expired or aborted', async () => {
    const app = shared();
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) ids.push(await start(app, 'dave', name));
    const [aborted, completed, expired, past] = ids;
    const abort = `mutation { abortUpload(input: { uploadId: "${aborted}" }) { __typename } }`;
    await graphql(app, abort, {}, await bearer('dave'));
    const set = (id: string | undefined, columns: object) =>
      app.services.db
        .updateTable('upload')
        .set(columns)
        .where('upload_id', '=', id ?? '')
        .execute();
    await set(completed, { status: 'completed' });
    await set(expired, { status: 'expired' });
    await set(past, { expires_at: 1 });
    expect(await list(app, 'dave')).toMatchObject({ totalCount: 0, nodes: [] });
  });

  test('lists nothing for an anonymous viewer, whose sessions are secrets', async () => {
    const app = shared();
    await start(app, null, 'secret.txt');
    expect(await list(app, null)).toMatchObject({ totalCount: 0, nodes: [] });
    expect(await list(app, 'erin')).toMatchObject({ totalCount: 0, nodes: [] });
  });

  test('takes one statement, whatever the number of sessions', async () => {
    const app = shared();
    const statements = async () => {
      app.statements.length = 0;
      const query = '{ uploadSessions { nodes { id filename } } }';
      await graphql(app, query, {}, await bearer('frank'));
      return app.statements.length;
    };
    const none = await statements();
    for (const name of ['a', 'b', 'c']) await start(app, 'frank', name);
    expect([none, await statements()]).toEqual([1, 1]);
  });
});
