import { expect, test, vi } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { renditionPath } from '../../support/image-url.ts';
import { asAdmin, bearer, change, uploadAs } from '../../support/private-media.ts';
import { WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';

const HOUR_MS = 3_600_000;
const ARGS = 'width: 8, format: WEBP';

function get(app: TestApp, path: string, { authorization = '' } = {}) {
  const headers = authorization === '' ? {} : { authorization };
  return app.fetch(path, { headers, redirect: 'manual' });
}

async function code(response: Response) {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
}

/** The beginning of an hour. */
const START = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;

/** Runs `work` at a time after `START`, as far as the domain knows. */
async function at<T>({ services }: TestApp, ms: number, work: () => Promise<T>): Promise<T> {
  const clock = vi.spyOn(services, 'clock').mockReturnValue(START + ms);
  try {
    return await work();
  } finally {
    clock.mockRestore();
  }
}

describeEachBackend('a rendition of a private image', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('is for whoever has its URL, which expires and stays the same for an hour', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const media = await uploadAs(app, owner, { visibility: 'PRIVATE' });
    const path = await renditionPath(app, media.databaseId, ARGS, owner);
    expect(path).toMatch(/\/w8\.webp\.e\d{6}\.[\w-]{22}\//);
    for (const sender of [{}, owner, await bearer('bob')]) {
      const response = await get(app, path, sender);
      expect([response.status, response.headers.get('cache-control')]).toEqual([
        200,
        'private, no-store',
      ]);
    }
    const urlAt = (ms: number) =>
      at(app, ms, () => renditionPath(app, media.databaseId, ARGS, owner));
    const first = await urlAt(0);
    expect(await urlAt(HOUR_MS - 1)).toBe(first);
    expect(await urlAt(HOUR_MS)).not.toBe(first);
    await at(app, 2 * HOUR_MS - 1, async () => {
      expect((await get(app, first)).status).toBe(200);
    });
    await at(app, 2 * HOUR_MS, async () => {
      expect(await code(await get(app, first))).toEqual([403, 'SIGNATURE_EXPIRED']);
      const other = first.replace(/\.e\d+\./, (text) => `.e${Number(text.slice(2, -1)) + 1}.`);
      expect(await code(await get(app, other))).toEqual([403, 'SIGNATURE_INVALID']);
    });
  });

  test('has an old URL that leads to the present one for as long as it was valid, and no longer', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const media = await uploadAs(app, owner, { visibility: 'PRIVATE' });
    const path = await at(app, 0, () => renditionPath(app, media.databaseId, ARGS, owner));
    await change(
      app,
      owner,
      `updateMedia(input: { id: "${media.id}", focalPoint: { left: 0, top: 0 } }) { __typename ... on Error { code } }`,
    );
    await at(app, 2 * HOUR_MS - 1, async () => {
      const moved = await get(app, path);
      expect([moved.status, moved.headers.get('cache-control')]).toEqual([
        302,
        'private, no-store',
      ]);
      const location = moved.headers.get('location')!;
      expect(/\.e(\d+)\./.exec(location)![1]).toBe(/\.e(\d+)\./.exec(path)![1]);
      expect((await get(app, location.slice(app.url.length))).status).toBe(200);
    });
  });

  test('has no URL from the time before it became private', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const media = await uploadAs(app, owner);
    const path = await renditionPath(app, media.databaseId, ARGS, owner);
    const set = (visibility: string) =>
      change(
        app,
        owner,
        `updateMedia(input: { id: "${media.id}", visibility: ${visibility} }) { __typename ... on Error { code } }`,
      );
    expect((await get(app, path)).status).toBe(200);
    await set('PRIVATE');
    const expiring = await renditionPath(app, media.databaseId, ARGS, owner);
    for (const sender of [{}, await bearer('bob'), owner, asAdmin(app)]) {
      expect(await code(await get(app, path, sender))).toEqual([404, 'NOT_FOUND']);
    }
    await set('PUBLIC');
    const moved = await get(app, expiring);
    expect(moved.status).toBe(302);
    expect(moved.headers.get('location')).not.toMatch(/\.e\d/);
  });

  test('is not for an endless URL that a stranger has, even if its signature is right', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const media = await uploadAs(app, owner);
    const path = await renditionPath(app, media.databaseId, ARGS, owner);
    // As if it had become private without a new directory.
    for (const [table, column] of [
      ['media', 'id'],
      ['file', 'media_id'],
    ] as const) {
      await app.services.db
        .updateTable(table)
        .set({ is_public: -1 })
        .where(column as 'id', '=', media.databaseId)
        .execute();
    }
    for (const sender of [{}, await bearer('bob')]) {
      expect(await code(await get(app, path, sender))).toEqual([404, 'NOT_FOUND']);
    }
    const moved = await get(app, path, owner);
    expect([moved.status, moved.headers.get('location')]).toEqual([
      302,
      expect.stringMatching(/\.e\d{6}\./),
    ]);
  });
});
