import { readdirSync } from 'node:fs';
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
