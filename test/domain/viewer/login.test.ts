import { describe, expect, it } from 'vitest';
import { createLogin, type LoginOptions } from '../../../src/domain/viewer/login.ts';
import { hashPassword, isPassword } from '../../../src/domain/viewer/password.ts';
import { createUser, parseUsers, type User } from '../../../src/domain/viewer/user.ts';

const CHEAP = { N: 2, r: 1, p: 1 };
const REFUSED = { code: 'TOO_MANY_REQUESTS' };
const GUESSES_MAX = 20;
const GUESS_INTERVAL_MS = 30_000;

describe('a password', () => {
  it('is stored as a salted scrypt hash that takes 32 MiB, and verified', async () => {
    const hashes = await Promise.all([hashPassword('secret é'), hashPassword('secret é')]);
    expect(new Set(hashes).size).toBe(2);
    const [hash] = hashes as [string, string];
    expect(hash).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
    // As another keyboard types it.
    expect(await isPassword('secret e\u0301', hash)).toBe(true);
    expect(await isPassword('Secret é', hash)).toBe(false);
  });

  it('is verified with the parameters of its hash, even if the default differs', async () => {
    const hash = await hashPassword('secret', CHEAP);
    expect(hash).toMatch(/^scrypt\$2\$1\$1\$/);
    expect(await isPassword('secret', hash)).toBe(true);
    for (const wrong of ['', 'secre', 'secret ', 'SECRET']) {
      expect(await isPassword(wrong, hash)).toBe(false);
    }
    expect(await isPassword('secret', hash.replace('$2$', '$4$'))).toBe(false);
    expect(await isPassword('secret', hash.slice(0, -3))).toBe(false);
  });

  it('takes as long to check for an unknown user as for a known one', async () => {
    const hash = await hashPassword('secret');
    const time = async (hash: string | null) => {
      const times: number[] = [];
      for (let count = 0; count < 3; count++) {
        const start = performance.now();
        expect(await isPassword('wrong', hash)).toBe(false);
        times.push(performance.now() - start);
      }
      // Other work of the machine makes some of them longer, and none shorter.
      return Math.min(...times);
    };
    const [known, unknown] = [await time(hash), await time(null)];
    expect(unknown).toBeGreaterThan(known / 4);
  });
});

describe('a user', () => {
  it('has a name, a role and start nodes, and not the password itself', async () => {
    const start_nodes = ['00000000-0000-4000-8000-00000000000A'];
    const input = { name: ' Zoe\u0308 ', role: 'reader', password: 'secret 12', start_nodes };
    const user = await createUser({ ...input, role: 'reader' });
    expect(user).toEqual({
      name: 'Zoë',
      role: 'reader',
      start_nodes: [start_nodes[0]?.toLowerCase()],
      password: expect.stringMatching(/^scrypt\$/),
    });
    expect(parseUsers({ users: [user] })).toEqual([user]);
  });

  it.each([
    ['name', { name: '  ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'a\nb' }],
    ['password', { password: '1234567' }],
    ['password', { password: 'x'.repeat(1025) }],
    ['start_nodes', { start_nodes: [] }],
    ['start_nodes', { start_nodes: ['/Design'] }],
  ])('is not created with an invalid %s: %j', async (field, wrong) => {
    const input = { name: 'zoe', role: 'reader', password: '12345678', ...wrong } as const;
    const issues = [{ path: expect.arrayContaining([field]) }];
    await expect(createUser(input)).rejects.toMatchObject({ code: 'INVALID_INPUT', issues });
  });

  it.each([
    [[]],
    [{ users: {} }],
    [{ users: [{ name: 'a', role: 'reader', password: 'secret' }] }],
    [{ users: [{ name: 'a', role: 'owner', password: 'scrypt$2$1$1$AA$AA' }] }],
    [{ users: [{ name: 'a', role: 'reader', password: 'scrypt$2$1$1$AA$AA', start_nodes: [] }] }],
  ])('cannot be parsed from %j', (value) => {
    expect(() => parseUsers(value)).toThrow(/users|Expected/);
  });
});

describe('login', () => {
  it('accepts only the users of the list, with their passwords', async () => {
    const { check } = await withUsers({ zoe: 'secret', Zoë: 'other' });
    expect(await check('zoe', 'secret')).toMatchObject({ name: 'zoe', role: 'editor' });
    expect(await check('Zoe\u0308', 'other')).toMatchObject({ name: 'Zoë' });
    for (const [name, password] of [
      ['zoe', 'other'],
      ['zoe', ''],
      ['ZOE', 'secret'],
      ['', 'secret'],
      [`zoe${'x'.repeat(1000)}`, 'secret'],
      ['constructor', 'secret'],
    ] as const) {
      expect(await check(name, password)).toBeNull();
    }
  });

  it('reads the list at each login', async () => {
    const login = await withUsers({ zoe: 'secret' });
    const [zoe] = login.users.splice(0);
    expect(await login.check('zoe', 'secret')).toBeNull();
    login.users.push(zoe as User);
    expect(await login.check('zoe', 'secret')).not.toBeNull();
  });

  it('checks two passwords at once, lets 32 wait in order, and refuses more', async () => {
    const open: (() => void)[] = [];
    const order: string[] = [];
    const verify: LoginOptions['verify'] = async (password) => {
      order.push(password);
      await new Promise<void>((resolve) => open.push(resolve));
      return true;
    };
    const { check } = await withUsers({}, { verify });
    const names = Array.from({ length: 34 }, (_, index) => `user ${index}`);
    const waiting = Promise.all(names.map((name) => check(name, name)));
    await expect(check('late', 'late')).rejects.toMatchObject({ ...REFUSED, retryAfterMs: 5000 });
    await expect.poll(() => order).toEqual(names.slice(0, 2));
    for (const [index] of names.entries()) {
      await expect.poll(() => open.length).toBeGreaterThan(index);
      open[index]?.();
    }
    await waiting;
    expect(order).toEqual(names);
    const again = check('late', 'late');
    await expect.poll(() => open).toHaveLength(35);
    open[34]?.();
    await again;
  });

  it.each(['zoe', 'nobody'])(
    'after 20 wrong passwords for %s accepts one more per half minute',
    async (name) => {
      const login = await withUsers({ zoe: 'secret', bob: 'secret' });
      for (let guess = 0; guess < GUESSES_MAX; guess += 1) {
        expect(await login.check(name, `guess ${guess}`)).toBeNull();
      }
      const refusal = { ...REFUSED, retryAfterMs: GUESS_INTERVAL_MS };
      await expect(login.check(name, 'secret')).rejects.toMatchObject(refusal);
      expect(await login.check('bob', 'secret')).not.toBeNull();
      login.advance(GUESS_INTERVAL_MS - 1);
      await expect(login.check(name, 'secret')).rejects.toMatchObject({
        ...REFUSED,
        retryAfterMs: 1,
      });
      login.advance(1);
      expect(await login.check(name, 'wrong')).toBeNull();
      await expect(login.check(name, 'secret')).rejects.toMatchObject(REFUSED);
      login.advance(GUESSES_MAX * GUESS_INTERVAL_MS);
      for (let guess = 0; guess < GUESSES_MAX; guess += 1) await login.check(name, 'wrong');
      await expect(login.check(name, 'secret')).rejects.toMatchObject(REFUSED);
    },
  );

  it('counts guesses before their outcome, so that simultaneous ones count too', async () => {
    let tried = 0;
    const verify = async () => {
      tried += 1;
      return false;
    };
    const { check } = await withUsers({}, { verify });
    const tries = Array.from({ length: 30 }, (_, guess) => check('zoe', `${guess}`));
    const ended = await Promise.allSettled(tries);
    expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    expect(tried).toBe(GUESSES_MAX);
  });

  it('counts neither the correct password nor a failed check', async () => {
    const login = await withUsers({ zoe: 'secret' });
    for (let time = 0; time < 2 * GUESSES_MAX; time += 1) {
      expect(await login.check('zoe', 'secret')).not.toBeNull();
    }
    const broken = createLogin({
      listUsers: () => Promise.reject(new Error('broken')),
      clock: Date.now,
    });
    for (let time = 0; time < 2 * GUESSES_MAX; time += 1) {
      await expect(broken.check('zoe', 'secret')).rejects.toThrow('broken');
    }
  });
});

/** A login of these names and passwords, with hashes that cost nothing, on a clock that stands still. */
async function withUsers(
  passwords: Readonly<Record<string, string>>,
  options: Partial<LoginOptions> = {},
) {
  let now = 0;
  const users: User[] = [];
  for (const [name, password] of Object.entries(passwords)) {
    users.push({ name, role: 'editor', password: await hashPassword(password, CHEAP) });
  }
  const verify: LoginOptions['verify'] = async (password, hash) =>
    hash !== null && isPassword(password, hash);
  const login = createLogin({ listUsers: async () => users, clock: () => now, verify, ...options });
  const advance = (ms: number) => {
    now += ms;
  };
  return { ...login, users, advance };
}
