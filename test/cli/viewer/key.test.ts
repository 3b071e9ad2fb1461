import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runInProcess } from '../../support/command.ts';
import { runTrivium, withDataDir, withServerProcess } from '../../support/process.ts';

async function statusOf(url: string, key: string): Promise<number> {
  return (await fetch(`${url}/media`, { headers: { 'api-key': key } })).status;
}

/** Returns the kinds of the actors in the audit log. */
async function actorsOf(url: string, dataDir: string): Promise<string[]> {
  const query = encodeURIComponent('{ auditLog { nodes { actor { kind } } } }');
  const key = (await readFile(`${dataDir}/admin.key`, 'utf8')).trim();
  const response = await fetch(`${url}/graphql?query=${query}`, { headers: { 'api-key': key } });
  const { data } = await response.json();
  return data.auditLog.nodes.map(({ actor }: { actor: { kind: string } }) => actor.kind);
}

test('keys are created, listed and revoked beside a running server', () =>
  withDataDir(async (dataDir) => {
    const variables = { TRIVIUM_DATA_DIR: dataDir };
    const trivium = (...args: string[]) => runInProcess(args, variables);
    await withServerProcess(variables, async ({ url }) => {
      const created = await trivium('key', 'create', 'website', '--expires-days', '30');
      const key = created.output.trim();
      expect([created.code, created.errors, await statusOf(url, key)]).toEqual([0, '', 200]);
      const json = await trivium('key', 'create', 'website', '--role', 'reader', '--json');
      const other = JSON.parse(json.output);
      expect(other).toMatchObject({
        name: 'website',
        role: 'reader',
        key: expect.stringMatching(/^tvm_/),
      });

      const list = await trivium('key', 'list');
      expect(list.code).toBe(0);
      const [titles, newest, oldest] = list.output.split('\n');
      expect(titles).toMatch(/^ID +NAME +ROLE +START NODES +CREATED +EXPIRES +LAST USED$/);
      expect(newest).toMatch(/^\d+ +website +reader +all +\S+Z +never +never$/);
      expect(oldest).toMatch(/^\d+ +website +editor +all +\S+Z +\S+Z +\S+Z$/);
      const lines = (await trivium('key', 'list', '--json')).output.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { id: other.id, createdBy: null, expiresAt: null, lastUsedAt: null },
        { name: 'website', role: 'editor', lastUsedAt: expect.any(String) },
      ]);
      expect(list.output + lines.join()).not.toContain(key.slice(4));
      expect(await actorsOf(url, dataDir)).toEqual(['CLI', 'CLI']);

      const unclear = await trivium('key', 'revoke', 'website');
      expect([unclear.code, unclear.output]).toEqual([1, '']);
      expect(unclear.errors).toMatch(/^trivium: several keys have this name: .*\(\d+, \d+\)\n$/);
      const revoked = await trivium('key', 'revoke', String(other.id));
      expect([revoked.code, revoked.output]).toEqual([0, `revoked key ${other.id}, website\n`]);
      expect([await statusOf(url, other.key), await statusOf(url, key)]).toEqual([401, 200]);
      expect((await trivium('key', 'revoke', 'website')).code).toBe(0);
      expect(await statusOf(url, key)).toBe(401);
      const again = await trivium('key', 'revoke', key);
      expect([again.code, again.errors]).toEqual([
        1,
        'trivium: there is no such key, or it is revoked\n',
      ]);
    });
  }));

test('a life that is no number of days is refused', async () => {
  const { code, errors } = await runTrivium(['key', 'create', 'a', '--expires-days=soon']);
  expect(code).toBe(2);
  expect(errors).toContain('Expected a number of days above 0.');
});
