import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { InvalidInputError } from '../../src/domain/error.ts';
import { parseInput } from '../../src/domain/input.ts';

describe('a message says what is expected, in our own words', () => {
  it.each([
    ['Expected at least 1.', 'TOO_SMALL', z.int().min(1), 0],
    ['Expected at most 2147483647.', 'TOO_BIG', z.int32(), 2 ** 31],
    ['Expected at most 2 items.', 'TOO_BIG', z.array(z.int()).max(2), [1, 2, 3]],
    ['Expected at most 2 characters.', 'TOO_BIG', z.string().max(2), 'abc'],
    ['Expected an integer.', 'INVALID_TYPE', z.int(), 1.5],
    ['Expected an object.', 'INVALID_TYPE', z.record(z.string(), z.string()), 'a'],
    ['Expected one of asc, desc.', 'INVALID_CHOICE', z.enum(['asc', 'desc']), 'up'],
    ['Expected a UUID.', 'INVALID', z.guid(), 'a'],
    ['Unknown names: b, c.', 'INVALID', z.strictObject({}), { b: 1, c: 2 }],
    ['Two at least.', 'TOO_SMALL', z.string().min(2, 'Two at least.'), 'a'],
  ])('%s', (message, code, schema, value) => {
    const parse = () => parseInput<unknown>(z.object({ field: schema }), { field: value });
    expect(parse).toThrow(
      expect.objectContaining<Partial<InvalidInputError>>({
        issues: [expect.objectContaining({ path: ['field'], code, message })],
      }),
    );
  });
});
