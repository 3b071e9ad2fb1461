import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/domain/error.ts';
import { type PageArgs, parsePageArgs, toPage } from '../../src/domain/page.ts';
import { listTags } from '../../src/domain/tag/tag.ts';
import { listMedias } from '../../src/domain/tree/media-list.ts';
import type { Keyset } from '../../src/store/cursor.ts';
import { withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { BY_NAME } from '../support/keyset.ts';
import { makeMediaRow, makeTag } from '../support/make.ts';

const BY_ID: Keyset = {
  name: 'newest',
  columns: [{ name: 'id', type: 'number' }],
  descending: true,
};

describe('page arguments', () => {
  it.each([
    [{}, { limit: 50, backward: false }],
    [
      { first: null, after: null, last: null, before: null },
      { limit: 50, backward: false },
    ],
    [{ first: 0 }, { limit: 0, backward: false }],
    [{ first: 200 }, { limit: 200, backward: false }],
    [{ last: 1 }, { limit: 1, backward: true }],
  ] satisfies [PageArgs, object][])('%j', (args, request) => {
    expect(parsePageArgs(args, BY_ID)).toMatchObject(request);
  });

  it.each([
    [{ first: -1 }, 'first', 'OUT_OF_RANGE'],
    [{ first: 201 }, 'first', 'OUT_OF_RANGE'],
    [{ first: 1.5 }, 'first', 'OUT_OF_RANGE'],
    [{ first: Number.NaN }, 'first', 'OUT_OF_RANGE'],
    [{ last: -1 }, 'last', 'OUT_OF_RANGE'],
    [{ last: 1000 }, 'last', 'OUT_OF_RANGE'],
    [{ first: 1, last: 1 }, 'last', 'CONFLICT'],
  ] satisfies [PageArgs, string, string][])('%j is refused', (args, field, code) => {
    expect(issuesOf(args, BY_ID)).toMatchObject([{ path: [field], code }]);
  });
});

describe('cursors', () => {
  it('contain the place of their row', () => {
    const cursor = cursorOf({ id: 7, name: 'x' }, BY_NAME);
    expect(parsePageArgs({ after: cursor }, BY_NAME).after).toEqual(['x', 7]);
  });

  it('can stand at either end', () => {
    const cursor = cursorOf({ id: 7 }, BY_ID);
    expect(parsePageArgs({ last: 5, before: cursor }, BY_ID).before).toEqual([7]);
  });

  it('with one character changed, removed or added are refused', () => {
    const cursor = cursorOf({ id: 7, name: 'x' }, BY_NAME);
    const tampered = Array.from(cursor).flatMap((character, at) => {
      const [before, after] = [cursor.slice(0, at), cursor.slice(at + 1)];
      const other = character === 'A' ? 'B' : 'A';
      return [before + other + after, before + after, `${before}A${character}${after}`];
    });
    for (const after of [...tampered, `${cursor}A`, `${cursor}=`, `${cursor} `]) {
      expect(issuesOf({ after }, BY_NAME), after).toMatchObject([{ code: 'INVALID_CURSOR' }]);
    }
  });

  it('with another number inserted are refused', () => {
    const text = Buffer.from(cursorOf({ id: 7 }, BY_ID), 'base64url').toString();
    const after = Buffer.from(text.replace(/7\]$/, '8]')).toString('base64url');
    expect(issuesOf({ after }, BY_ID)).toMatchObject([{ code: 'INVALID_CURSOR' }]);
  });

  it.each([
    ['empty', ''],
    ['text', 'abc'],
    ['no JSON', encode('{')],
    ['no array', encode('{"0":"newest","1":7}')],
    ['an empty array', encode('[]')],
    ['of another list', cursorOf({ id: 7 }, { ...BY_ID, name: 'oldest' })],
    ['of a list by other columns', cursorOf({ id: 7, name: 'x' }, BY_NAME)],
    ['without a value', encode('["newest"]')],
    ['with a value too many', encode('["newest",7,8]')],
    ['with a text for a number', encode('["newest","7"]')],
    ['with a fraction', encode('["newest",7.5]')],
    ['with a number that no column holds', encode('["newest",1e300]')],
    ['with null', encode('["newest",null]')],
    ['with SQL', encode('["newest","7) or (1=1"]')],
  ])('%s is refused', (_, after) => {
    expect(issuesOf({ after }, BY_ID)).toMatchObject([{ path: ['after'], code: 'INVALID_CURSOR' }]);
  });

  it('with a NUL, which PostgreSQL cannot compare with, is refused', () => {
    const before = encode('["by name","a\\u0000",7]');
    expect(issuesOf({ before }, BY_NAME)).toMatchObject([{ path: ['before'] }]);
  });
});

describeEachBackend('pages', (backend) => {
  it('tell in both directions whether more nodes follow', () =>
    withServices(backend, async ({ db, as }) => {
      for (const name of ['c', 'b', 'a']) await makeTag(db, { name });
      const read = async (args: PageArgs) => {
        const page = await listTags(as(), {}, args);
        const { edges } = page;
        return { names: edges.map(({ node }) => node.name).join(''), page, edges };
      };
      const first = await read({ first: 2 });
      expect(first).toMatchObject({
        names: 'ab',
        page: { hasNextPage: true, hasPreviousPage: false },
      });
      const after = first.edges[1]!.cursor;
      expect(await read({ first: 2, after })).toMatchObject({
        names: 'c',
        page: { hasNextPage: false, hasPreviousPage: true },
      });
      expect(await read({ last: 1, before: after })).toMatchObject({
        names: 'a',
        page: { hasNextPage: true, hasPreviousPage: false },
      });
    }));

  it('of media reject a cursor of tags', () =>
    withServices(backend, async ({ db, as }) => {
      await makeTag(db);
      const [edge] = (await listTags(as(), {}, {})).edges;
      const page = listMedias(as(), { after: edge!.cursor });
      await expect(page).rejects.toThrow(InvalidInputError);
    }));

  it('cost one statement, whatever their size', () =>
    withServices(backend, async ({ db, as, statements }) => {
      for (let count = 0; count < 30; count++) await makeMediaRow(db);
      statements.length = 0;
      expect((await listMedias(as(), { first: 25 })).edges).toHaveLength(25);
      expect(statements).toHaveLength(1);
    }));

  it('of media are newest first, without folders', () =>
    withServices(backend, async ({ db, as }) => {
      const ids = [await makeMediaRow(db), await makeMediaRow(db)];
      await makeMediaRow(db, { type: 'folder' });
      const { edges } = await listMedias(as(), {});
      expect(edges.map(({ node }) => node.id)).toEqual(ids.reverse());
    }));
});

/** Forges a cursor, as a client that knows the format could. */
function encode(json: string): string {
  const checksum = crc32(json).toString(16).padStart(8, '0');
  return Buffer.from(checksum + json).toString('base64url');
}

function cursorOf(row: object, keyset: Keyset): string {
  const page = { rows: [row], hasMore: false };
  const request = parsePageArgs({}, keyset);
  return toPage(page, keyset, request, (node) => node).edges[0]!.cursor;
}

function issuesOf(args: PageArgs, keyset: Keyset) {
  try {
    parsePageArgs(args, keyset);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as InvalidInputError).issues;
  }
  return [];
}
