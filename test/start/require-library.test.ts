import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runInProcess } from '../support/command.ts';
import { withDataDir } from '../support/process.ts';

it('a backup of a data directory without a library fails, and creates nothing', () =>
  withDataDir(async (directory) => {
    const result = await runInProcess(['backup', join(directory, 'backup')], {
      TRIVIUM_DATA_DIR: join(directory, 'not-mounted'),
    });
    expect(result).toMatchObject({ code: 1, output: '' });
    expect(result.errors).toContain('there is no library');
    expect(readdirSync(directory)).toEqual([]);
  }));

it('no command creates the database that an unfinished restore has to fill', () =>
  withDataDir(async (directory) => {
    writeFileSync(join(directory, 'restore.unfinished'), '2026-01-01T00-00-00-000Z\n');
    for (const args of [
      ['key', 'list'],
      ['user', 'list'],
    ]) {
      const result = await runInProcess(args, { TRIVIUM_DATA_DIR: directory });
      expect(result).toMatchObject({ code: 1, output: '' });
      expect(result.errors).toContain('has not been completed');
    }
    expect(readdirSync(directory)).toEqual(['restore.unfinished']);
  }));

it.each([
  ['key', 'list'],
  ['key', 'revoke', 'x'],
  ['user', 'list'],
  ['user', 'remove', 'x'],
])('%s %s in a directory without a library fails, and creates nothing', (...args) =>
  withDataDir(async (directory) => {
    const variables = { TRIVIUM_DATA_DIR: join(directory, 'misspelled') };
    const result = await runInProcess(args, variables);
    expect(result).toMatchObject({ code: 1, output: '' });
    expect(result.errors).toContain('there is no library');
    expect(readdirSync(directory)).toEqual([]);
  }),
);
