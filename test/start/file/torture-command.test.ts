import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkItem, createLedger, type KnownItem } from '../../../src/start/file/torture-ledger.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { runTrivium, withDataDir } from '../../support/process.ts';

describeEachBackend('torture', (backend) => {
  it('ends with a verdict, and leaves nothing behind', () =>
    backend.withUrl((TRIVIUM_DATABASE_URL) =>
      withDataDir(async (TRIVIUM_DATA_DIR) => {
        const variables = { TRIVIUM_DATA_DIR, TRIVIUM_DATABASE_URL };
        const { code, output, errors } = await runTrivium(
          ['torture', '--minutes', '0.04'],
          variables,
        );
        expect([code, errors, output]).toEqual([0, '', expect.stringMatching(/\nPASS\n$/)]);
        expect(output).toMatch(/^kills [1-9]/);
        expect(output).toMatch(/uploads [1-9]/);
        expect(readdirSync(TRIVIUM_DATA_DIR)).toEqual([]);
      }),
    ));
});

const ITEM: KnownItem = {
  id: 'a',
  url: 'http://localhost/media/a/b',
  md5: 'old',
  md5s: new Set(['old', 'new']),
  isDeleted: false,
  isBusy: false,
};

it.each([
  ['old', {}, null],
  ['new', {}, null],
  ['other', {}, 'has wrong bytes'],
  [null, {}, 'is lost'],
  [null, { isDeleted: 'unknown' }, null],
  ['old', { isDeleted: 'unknown' }, null],
  [null, { isDeleted: true }, null],
  ['old', { isDeleted: true }, 'was deleted, and is back'],
] as const)('bytes %s of an item %o: violation %s', async (md5, change, violation) => {
  const ledger = createLedger();
  await checkItem({ read: async () => md5 }, ledger, { ...ITEM, ...change });
  const expected = violation === null ? [] : [expect.stringContaining(violation)];
  expect(ledger.violations).toEqual(expected);
});
