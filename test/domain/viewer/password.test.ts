import { describe, expect, it } from 'vitest';
import { hashPassword, isPassword } from '../../../src/domain/viewer/password.ts';
import { createUserEntry, parseUserEntries } from '../../../src/domain/viewer/user-entry.ts';

const CHEAP = { N: 2, r: 1, p: 1 };

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
    const user = await createUserEntry({ ...input, role: 'reader' });
    expect(user).toEqual({
      name: 'Zoë',
      role: 'reader',
      start_nodes: [start_nodes[0]?.toLowerCase()],
      password: expect.stringMatching(/^scrypt\$/),
    });
    expect(parseUserEntries({ users: [user] })).toEqual([user]);
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
    await expect(createUserEntry(input)).rejects.toMatchObject({ code: 'INVALID_INPUT', issues });
  });

  it.each([
    [[]],
    [{ users: {} }],
    [{ users: [{ name: 'a', role: 'reader', password: 'secret' }] }],
    [{ users: [{ name: 'a', role: 'owner', password: 'scrypt$2$1$1$AA$AA' }] }],
    [{ users: [{ name: 'a', role: 'reader', password: 'scrypt$2$1$1$AA$AA', start_nodes: [] }] }],
  ])('cannot be parsed from %j', (value) => {
    expect(() => parseUserEntries(value)).toThrow(/users|Expected/);
  });
});
