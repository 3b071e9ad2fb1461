import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it, vi } from 'vitest';
import { runInProcess } from '../support/command.ts';
import { withDataDir } from '../support/process.ts';

it('a command that cannot reach the database says so in one line', () =>
  withDataDir(async (TRIVIUM_DATA_DIR) => {
    const closing = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
    const { port } = closing.address() as AddressInfo;
    const TRIVIUM_DATABASE_URL = `postgres://jane:secret-of-jane@127.0.0.1:${port}/library`;
    const variables = { TRIVIUM_DATA_DIR, TRIVIUM_DATABASE_URL };
    const result = await runInProcess(['key', 'list'], variables).finally(() => closing.close());
    expect(result).toMatchObject({ code: 1, output: '' });
    expect(result.errors).toMatch(/^trivium: The database cannot be reached.*\n$/);
    expect(result.errors).not.toContain('secret-of-jane');
  }));

it.each(['--version', '-V'])('%s prints the version', async (flag) => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(await printed([flag])).toEqual({ code: 0, output: `${version}\n` });
});

it.each([
  [
    ['key', 'create'],
    ['--expires-days', '--role', '--data-dir', '--database-url'],
  ],
  [
    ['user', 'add'],
    ['--force', '--users-file'],
  ],
  [['fsck'], ['--rehash', '--storage-url']],
  [['backup'], ['--keep', '--data-dir']],
])(
  'the help of %j shows its own options and where the library is, and accepts the others',
  async (args, flags) => {
    const { code, output } = await printed([...args, '--help']);
    expect(code).toBe(0);
    for (const flag of flags) expect(output).toContain(flag);
    for (const flag of ['--port', '--host', '--graphiql']) expect(output).not.toContain(flag);
    expect(output.match(/TRIVIUM_/g)).toHaveLength(4);
  },
);

it('options of serve that the help of another command does not show are accepted', () =>
  withDataDir(async (TRIVIUM_DATA_DIR) => {
    const args = ['key', 'create', 'x', '--statement-timeout-ms', '5000'];
    expect((await runInProcess(args, { TRIVIUM_DATA_DIR })).code).toBe(0);
  }));

it('the help of the program says what the exit codes mean, and wrong usage is 2', async () => {
  expect((await printed(['--help'])).output).toMatch(/130 {2}interrupted/);
  for (const args of [
    ['nonsense'],
    ['upload'],
    ['ls', '--wrong'],
    ['key', 'create'],
    ['fsck', '--wrong'],
  ]) {
    expect(await printed(args), args.join(' ')).toMatchObject({ code: 2, output: '' });
  }
});

/** Runs a command whose output commander writes. */
async function printed(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const written: string[] = [];
  const out = vi
    .spyOn(process.stdout, 'write')
    .mockImplementation((text) => !!written.push(String(text)));
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const { code } = await runInProcess(args).finally(() => {
    out.mockRestore();
    err.mockRestore();
  });
  return { code, output: written.join('') };
}
