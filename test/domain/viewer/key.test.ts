import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../src/domain/error.ts';
import { findViewerByKey, keySha256, newKey } from '../../../src/domain/viewer/key.ts';
import { withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeKey } from '../../support/make.ts';

const MINUTE_MS = 60_000;

describe('newKey', () => {
  it('is 256 random bits behind a prefix that scanners of secrets can find', () => {
    expect(newKey()).toMatch(/^tvm_[\w-]{43}$/);
    expect(newKey()).not.toBe(newKey());
  });
});

describeEachBackend('keys', (backend) => {
  it.each(['reader', 'editor', 'admin'] as const)('a key of role %s has that role', (role) =>
    withServices(backend, async (services) => {
      const key = await makeKey(services, { name: 'Backup', role });
      const viewer = await findViewerByKey(services, key);
      expect(viewer).toEqual({ kind: 'key', id: expect.stringMatching(/^key:[\w-]{36}$/), role });
    }),
  );

  it('only the digest of a key is stored', () =>
    withServices(backend, async (services) => {
      const key = await makeKey(services, { name: 'Backup', role: 'reader' });
      const rows = await services.db.selectFrom('api_key').selectAll().execute();
      expect(rows).toMatchObject([{ key_sha256: keySha256(key) }]);
      expect(JSON.stringify(rows)).not.toContain(key.slice(4));
    }));

  it('an unknown key, and a key that differs in case or by a space, is not accepted', () =>
    withServices(backend, async (services) => {
      const key = await makeKey(services, { name: 'Backup', role: 'reader' });
      for (const wrong of ['', newKey(), key.toLowerCase(), `${key} `, key.slice(0, -1), '\0']) {
        expect(await findViewerByKey(services, wrong)).toBeNull();
      }
    }));

  it('a key is valid until the moment it expires', () =>
    withServices(backend, async (services) => {
      const expiresAt = new Date(services.clock() + 1000);
      const key = await makeKey(services, { name: 'Backup', role: 'reader', expiresAt });
      services.advance(999);
      expect(await findViewerByKey(services, key)).not.toBeNull();
      services.advance(1);
      expect(await findViewerByKey(services, key)).toBeNull();
    }));

  it.each([-1, 0])('a key that expired %i ms ago cannot be created', (ms) =>
    withServices(backend, async (services) => {
      const expiresAt = new Date(services.clock() + ms);
      const key = makeKey(services, { name: 'Backup', role: 'reader', expiresAt });
      await expect(key).rejects.toMatchObject({ issues: [{ code: 'IN_THE_PAST' }] });
    }),
  );

  it('its last use is stored, at most once a minute', () =>
    withServices(backend, async (services) => {
      const start = services.clock();
      const key = await makeKey(services, { name: 'Backup', role: 'reader' });
      const uses: (number | null)[] = [];
      for (const ms of [0, 1, MINUTE_MS - 1, 1, MINUTE_MS + 1]) {
        services.advance(ms);
        await findViewerByKey(services, key);
        const row = services.db.selectFrom('api_key').select('last_used_at');
        uses.push((await row.executeTakeFirstOrThrow()).last_used_at);
      }
      const second = start + MINUTE_MS + 1;
      expect(uses).toEqual([start, start, start, second, second + MINUTE_MS + 1]);
    }));

  it('a use that is not stored writes nothing', () =>
    withServices(backend, async (services) => {
      const key = await makeKey(services, { name: 'Backup', role: 'reader' });
      await findViewerByKey(services, key);
      services.statements.length = 0;
      await findViewerByKey(services, key);
      expect(services.statements).toEqual([expect.stringMatching(/^select/)]);
    }));

  it('the admin key is valid without a row or a query', () =>
    withServices(backend, async (services) => {
      const admin = { ...services, adminKeySha256: keySha256('the-admin-key') };
      const viewer = { kind: 'key', id: 'key:admin', role: 'admin' };
      expect(await findViewerByKey(admin, 'the-admin-key')).toEqual(viewer);
      expect(services.statements).toEqual([]);
    }));

  it.each(['', '   ', 'a\nb', 'x'.repeat(101)])(
    'a key with the name %j cannot be created',
    (name) =>
      withServices(backend, async (services) => {
        await expect(makeKey(services, { name, role: 'reader' })).rejects.toThrow(
          InvalidInputError,
        );
      }),
  );
});
