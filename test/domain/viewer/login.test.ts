import { expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { changePassword, SESSION_MS, signIn } from '../../../src/domain/viewer/login.ts';
import { createLogins } from '../../../src/domain/viewer/logins.ts';
import { hashPassword, isPassword } from '../../../src/domain/viewer/password.ts';
import { findViewerByCredential, forgetSessions } from '../../../src/domain/viewer/session.ts';
import { ANONYMOUS, type KnownViewer } from '../../../src/domain/viewer/viewer.ts';
import { deleteUsers, insertUser, updateUser } from '../../../src/store/viewer/user.ts';
import { type TestServices, withServices } from '../../support/app.ts';
import { type Backend, describeEachBackend } from '../../support/backend.ts';

const CHEAP = { N: 2, r: 1, p: 1 };
const WRONG = { code: 'NOT_AUTHENTICATED', reason: 'wrong' };
const REFUSED = { code: 'TOO_MANY_REQUESTS' };
const GUESSES_MAX = 20;
const GUESS_INTERVAL_MS = 30_000;
const DAY_MS = 24 * 3_600_000;

type Verify = typeof isPassword;

/** Logins of `zoe` and `bob` with hashes that cost nothing, on a clock that stands still. */
interface Desk {
  services: TestServices;
  ids: { zoe: number; bob: number };
  /** Tries a password from an address. */
  from(address: string, name: string, password: string): Promise<string>;
  /** Tries wrong passwords until one is refused, and returns how many were not. */
  guess(address: string, name: string, max?: number): Promise<number>;
  at(address: string): Context;
}

const cheap: Verify = async (password, hash) => hash !== null && isPassword(password, hash);

function withDesk(
  backend: Backend,
  work: (desk: Desk) => Promise<void>,
  verify: Verify = cheap,
): Promise<void> {
  return withServices(backend, async (services) => {
    services.logins = { ...createLogins(), verify };
    const insert = async (name: string) =>
      (
        await insertUser(services.db, {
          ...{ name, role: 'editor', start_nodes: null, created_by: null },
          ...{ password: await hashPassword('secret', CHEAP), created_at: 0, updated_at: 0 },
        })
      ).id;
    const ids = { zoe: await insert('zoe'), bob: await insert('bob') };
    const at = (address: string): Context => ({
      ...services,
      viewer: ANONYMOUS,
      client: { hash: address },
    });
    const from: Desk['from'] = async (address, name, password) =>
      (await signIn(at(address), { name, password }, SESSION_MS.grant)).token;
    const guess: Desk['guess'] = async (address, name, max = 500) => {
      for (let count = 0; count < max; count += 1) {
        const error = await from(address, name, 'wrong').catch((error) => error);
        if (error.code === REFUSED.code) return count;
        expect(error).toMatchObject(WRONG);
      }
      return max;
    };
    await work({ services, ids, from, guess, at });
  });
}

describeEachBackend('a login', (backend) => {
  it('accepts only the password of the user', () =>
    withDesk(backend, async ({ from, services }) => {
      const token = await from('a', ' zoe\u200b', 'secret');
      expect(await findViewerByCredential(services, token)).toMatchObject({ id: 'user:zoe' });
      for (const [name, password] of [
        ['zoe', 'other'],
        ['zoe', ''],
        ['ZOE', 'secret'],
        ['', 'secret'],
        ['zoe\0', 'secret '],
        [`zoe${'x'.repeat(5000)}\0`, 'secret'],
        ['constructor', 'secret'],
      ] as const) {
        await expect(from('a', name, password)).rejects.toMatchObject(WRONG);
      }
    }));

  it.each(['zoe', 'nobody'])(
    'after 20 wrong passwords for %s from one address accepts one more per half minute',
    (name) =>
      withDesk(backend, async ({ from, guess, services }) => {
        expect(await guess('a', name)).toBe(GUESSES_MAX);
        const refusal = { ...REFUSED, retryAfterMs: GUESS_INTERVAL_MS };
        await expect(from('a', name, 'secret')).rejects.toMatchObject(refusal);
        await from('a', 'bob', 'secret');
        services.advance(GUESS_INTERVAL_MS - 1);
        await expect(from('a', name, 'secret')).rejects.toMatchObject({ retryAfterMs: 1 });
        services.advance(1);
        expect(await guess('a', name)).toBe(1);
        services.advance(GUESSES_MAX * GUESS_INTERVAL_MS);
        expect(await guess('a', name)).toBe(GUESSES_MAX);
      }),
  );

  it('from an address that has not guessed succeeds, whatever strangers guess', () =>
    withDesk(backend, async ({ from, guess }) => {
      for (let index = 0; index < 8; index += 1) await guess(`stranger ${index}`, 'zoe');
      expect(await from('home', 'zoe', 'secret')).toMatch(/^tvs_/);
    }));

  it('is slower for each of many addresses that guess at one name, and they stay slow together', () =>
    withDesk(backend, async ({ guess, services }) => {
      const addresses = Array.from({ length: 30 }, (_, index) => `bot ${index}`);
      const guessOnce = async () => {
        let made = 0;
        for (const address of addresses) made += await guess(address, 'zoe', 1);
        return made;
      };
      // The first 20 may guess again after half a minute, until the name is guessed at from elsewhere.
      expect(await guessOnce()).toBe(30);
      let made = 0;
      for (let minute = 0; minute < 60; minute += 1) {
        services.advance(60_000);
        made += await guessOnce();
      }
      // Two a minute and name, and the allowances of the start: without the slowdown, it would be 1,800 and more.
      expect(made).toBeGreaterThan(60);
      expect(made).toBeLessThan(250);
    }));

  it('from an address where the user has signed in has its 20 attempts, whatever strangers guess', () =>
    withDesk(backend, async ({ from, guess, services }) => {
      await from('home', 'zoe', 'secret');
      services.advance(DAY_MS);
      for (let index = 0; index < 4; index += 1) await guess(`stranger ${index}`, 'zoe');
      // Another address may guess once, and then has to wait for at least 10 minutes.
      expect(await guess('elsewhere', 'zoe')).toBe(1);
      services.advance(10 * 60_000);
      await expect(from('elsewhere', 'zoe', 'secret')).rejects.toMatchObject(REFUSED);
      for (let index = 4; index < 8; index += 1) await guess(`stranger ${index}`, 'zoe');
      expect(await guess('home', 'zoe', GUESSES_MAX - 1)).toBe(GUESSES_MAX - 1);
      expect(await from('home', 'zoe', 'secret')).toMatch(/^tvs_/);
    }));

  it('from one address may be wrong 100 times at once, over all names together', () =>
    withDesk(backend, async ({ from, guess, services }) => {
      let made = 0;
      for (let name = 0; name < 10; name += 1) made += await guess('a', `user ${name}`, 15);
      expect(made).toBe(100);
      await expect(from('a', 'zoe', 'secret')).rejects.toMatchObject({ retryAfterMs: 10_000 });
      services.advance(10_000);
      await from('a', 'zoe', 'secret');
    }));

  it('counts guesses before their outcome, so that simultaneous ones count too', () => {
    let tried = 0;
    const verify = async () => {
      tried += 1;
      return false;
    };
    return withDesk(
      backend,
      async ({ from, services }) => {
        // Two processes of one database.
        const other = { ...services, logins: { ...createLogins(), verify } };
        const elsewhere = { ...other, viewer: ANONYMOUS, client: { hash: 'a' } };
        const tries = Array.from({ length: 30 }, (_, index) => {
          const name = { name: 'zoe', password: `${index}` };
          return index % 2 ? from('a', 'zoe', `${index}`) : signIn(elsewhere, name, 1000);
        });
        const ended = await Promise.allSettled(tries);
        expect(ended.every(({ status }) => status === 'rejected')).toBe(true);
        expect(tried).toBe(GUESSES_MAX);
      },
      verify,
    );
  });

  it('counts neither the correct password nor a check that failed', () => {
    let isBroken = false;
    const verify: Verify = (password, hash) => {
      if (isBroken) throw new Error('broken');
      return cheap(password, hash);
    };
    return withDesk(
      backend,
      async ({ from, guess }) => {
        for (let time = 0; time < 25; time += 1) await from('a', 'zoe', 'secret');
        isBroken = true;
        for (let time = 0; time < 25; time += 1) {
          await expect(from('a', 'zoe', 'secret')).rejects.toThrow('broken');
        }
        isBroken = false;
        expect(await guess('a', 'zoe')).toBe(GUESSES_MAX);
      },
      verify,
    );
  });

  it('stores no name and no password of a guess', () =>
    withDesk(backend, async ({ from, services }) => {
      await expect(from('a', 'my-password', 'my-name')).rejects.toMatchObject(WRONG);
      const rows = await services.db.selectFrom('login_guess').selectAll().execute();
      expect(rows).toHaveLength(3);
      expect(JSON.stringify(rows)).not.toMatch(/my-/);
      services.advance(DAY_MS);
      await forgetSessions(services);
      expect(await services.db.selectFrom('login_guess').selectAll().execute()).toEqual([]);
    }));

  it('of two passwords is checked at once; of one address 16 wait, of all 32', () => {
    const open: (() => void)[] = [];
    const verify = () => new Promise<boolean>((resolve) => open.push(() => resolve(false)));
    return withDesk(
      backend,
      async ({ from, services }) => {
        const attempts: Promise<unknown>[] = [];
        let refused = 0;
        const attempt = (address: string, index: number) =>
          attempts.push(
            from(address, `user ${index}`, 'x').catch(({ code }) => {
              refused += Number(code === REFUSED.code);
              return code;
            }),
          );
        for (let index = 0; index < 20; index += 1) attempt('flood', index);
        await expect.poll(() => open.length).toBe(2);
        await expect.poll(() => refused).toBe(2);
        attempt('home', 99);
        await expect.poll(() => services.logins.turns.waiting).toBe(17);
        for (let next = 0; next < 19; next += 1) {
          await expect.poll(() => open.length).toBeGreaterThan(next);
          open[next]?.();
        }
        const ended = await Promise.all(attempts);
        const count = (code: string) => ended.filter((one) => one === code).length;
        // 2 are checked and 16 wait; 2 more are refused, and the other address is not.
        expect([count(REFUSED.code), count(WRONG.code)]).toEqual([2, 19]);
        expect(ended.at(-1)).toBe(WRONG.code);
      },
      verify,
    );
  });
});

describeEachBackend('a session', (backend) => {
  it('has a token of 256 random bits, of which only the digest is stored, and costs one look-up', () =>
    withDesk(backend, async ({ from, services }) => {
      const token = await from('a', 'zoe', 'secret');
      expect(token).toMatch(/^tvs_[\w-]{43}$/);
      const rows = await services.db.selectFrom('session').selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain(token.slice(4));
      services.statements.length = 0;
      expect(await findViewerByCredential(services, token)).toEqual({
        ...{ kind: 'user', id: 'user:zoe', role: 'editor', sessionId: expect.any(Number) },
      });
      expect(services.statements).toEqual([expect.stringMatching(/^select/)]);
      for (const other of ['tvs_', `${token}x`, token.toLowerCase(), token.slice(0, -1)]) {
        expect(await findViewerByCredential(services, other)).toBeNull();
      }
    }));

  it('ends at its expiry, and its row is deleted later', () =>
    withDesk(backend, async ({ from, services }) => {
      const token = await from('a', 'zoe', 'secret');
      services.advance(SESSION_MS.grant - 1);
      expect(await findViewerByCredential(services, token)).not.toBeNull();
      await forgetSessions(services);
      expect(await services.db.selectFrom('session').selectAll().execute()).toHaveLength(1);
      services.advance(1);
      expect(await findViewerByCredential(services, token)).toBeNull();
      await forgetSessions(services);
      expect(await services.db.selectFrom('session').selectAll().execute()).toEqual([]);
    }));

  it('does not begin with a password that was changed while it was being checked', async () => {
    let change = async () => undefined as unknown;
    const verify: Verify = async (password, hash) => {
      const isRight = await cheap(password, hash);
      await change();
      return isRight;
    };
    await withDesk(
      backend,
      async ({ from, services, ids }) => {
        change = () => updateUser(services.db, ids.zoe, { password: 'scrypt$2$1$1$AA$AA' });
        await expect(from('a', 'zoe', 'secret')).rejects.toMatchObject(WRONG);
        change = () => deleteUsers(services.db, [ids.bob]);
        await expect(from('a', 'bob', 'secret')).rejects.toMatchObject(WRONG);
        expect(await services.db.selectFrom('session').selectAll().execute()).toEqual([]);
      },
      verify,
    );
  });

  it('counts wrong passwords of a change of the password as guesses', () =>
    withDesk(backend, async ({ from, at, guess, services }) => {
      const token = await from('a', 'zoe', 'secret');
      const viewer = (await findViewerByCredential(services, token)) as KnownViewer;
      const change = (newPassword: string, currentPassword = 'wrong') =>
        changePassword({ ...at('a'), viewer }, { currentPassword, newPassword });
      await expect(change('short', 'secret')).rejects.toMatchObject({
        issues: [{ path: ['newPassword'] }],
      });
      for (let time = 0; time < GUESSES_MAX; time += 1) {
        await expect(change('long enough')).rejects.toMatchObject(WRONG);
      }
      await expect(change('long enough', 'secret')).rejects.toMatchObject(REFUSED);
      expect(await guess('a', 'zoe')).toBe(0);
      const key = {
        ...at('b'),
        viewer: { kind: 'key', id: 'key:user:zoe', role: 'admin' } as const,
      };
      const passwords = { currentPassword: 'secret', newPassword: 'long enough' };
      await expect(changePassword(key, passwords)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(changePassword(at('b'), passwords)).rejects.toMatchObject({ reason: 'missing' });
    }));
});
