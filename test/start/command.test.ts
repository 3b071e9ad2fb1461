import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
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
