import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidInputError } from '../../src/domain/error.ts';
import { parseInput } from '../../src/domain/input.ts';
import { mergeMetadata, metadataInput, parseMetadata } from '../../src/domain/metadata.ts';

const schema = z.object({ metadata: metadataInput.nullish() });

function parse(metadata: unknown) {
  return parseInput(schema, { metadata }).metadata;
}

function issuesOf(metadata: unknown) {
  try {
    parse(metadata);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.issues.map(({ path, code }) => [path.join('.'), code]);
  }
}

/** Returns an object with this many levels. */
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const keys = (count: number, value: unknown = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, value]));

describe('the schema of custom fields', () => {
  it.each([
    ['a text', 'text', 'metadata', 'INVALID_TYPE'],
    ['a list', [1], 'metadata', 'INVALID_TYPE'],
    ['a blank key', { ' ': 1 }, 'metadata. ', 'INVALID'],
    ['a key with a NUL', { 'a\0': 1 }, 'metadata.a\0', 'INVALID'],
    ['a long key', { ['k'.repeat(101)]: 1 }, `metadata.${'k'.repeat(101)}`, 'TOO_BIG'],
    ['six levels', nested(6), 'metadata.a.a.a.a.a', 'TOO_BIG'],
    ['six levels with a list', { a: { b: [[[[1]]]] } }, 'metadata.a.b.0.0.0', 'TOO_BIG'],
    ['no number', { a: { b: [1, Infinity] } }, 'metadata.a.b.1', 'INVALID'],
    ['no JSON value', { a: Promise.resolve() }, 'metadata.a', 'INVALID'],
    ['51 keys', keys(51), 'metadata', 'TOO_BIG'],
    ['keys to remove that can never be there', keys(101, null), 'metadata', 'TOO_BIG'],
    ['more than 16 KiB', { a: 'é'.repeat(8192) }, 'metadata', 'TOO_BIG'],
  ])('refuses %s, with the path to it', (_, metadata, path, code) => {
    expect(issuesOf(metadata)).toEqual([[path, code]]);
  });

  it.each([
    ['five levels', nested(5)],
    ['50 keys', keys(50)],
    ['a key of 100 characters', { ['😀'.repeat(100)]: 1 }],
    ['any values', { a: [1, 'two', null, { b: false }], c: 0.5, d: '\0\ud83d' }],
  ])('accepts %s', (_, metadata) => {
    expect(parse(metadata)).toEqual(metadata);
  });

  it('has an issue for each value that is wrong', () => {
    expect(issuesOf({ '': 1, a: NaN, b: 1 })).toEqual([
      ['metadata.', 'INVALID'],
      ['metadata.a', 'INVALID'],
    ]);
  });

  it('stores equal keys once, and never half of a character', () => {
    const halves = parse({ 'a\ud83d': 1, 'a\ud83e': 2, 'e\u0301': 3, '\u00e9': 4 });
    expect(halves).toEqual({ 'a\ufffd': 2, '\u00e9': 4 });
  });

  it('leaves out a variable that is not given', () => {
    expect(Object.keys(parse({ a: undefined, b: 1 }) ?? {})).toEqual(['b']);
  });
});

describe('a change of custom fields', () => {
  const merge = (stored: object | null, change: Record<string, unknown> | null) =>
    parseMetadata(mergeMetadata(stored && JSON.stringify(stored), change));

  it('is merged by key; null removes a key, or all', () => {
    expect(merge({ a: 1, b: { c: 1 } }, { b: { d: 2 }, e: 3 })).toEqual({
      a: 1,
      b: { d: 2 },
      e: 3,
    });
    expect(merge({ a: 1, b: 2 }, { a: null, x: null })).toEqual({ b: 2 });
    expect(merge({ a: 1 }, null)).toEqual({});
    expect(mergeMetadata('{"a":1}', { a: null })).toBeNull();
    expect(mergeMetadata(null, {})).toBeNull();
  });

  it('can put fifty keys in place of fifty others, but not one more', () => {
    const removed = Object.fromEntries(Object.keys(keys(50)).map((key) => [`x${key}`, null]));
    const stored = Object.fromEntries(Object.keys(removed).map((key) => [key, 1]));
    expect(merge(stored, parse({ ...removed, ...keys(50) }) ?? null)).toEqual(keys(50));
    expect(() => merge(keys(50), { one: 1 })).toThrow(InvalidInputError);
    expect(() => merge({ a: 'x'.repeat(10_000) }, { b: 'x'.repeat(10_000) })).toThrow(
      InvalidInputError,
    );
  });

  it('has keys that mean something to JavaScript as any others', () => {
    const change = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}');
    const text = mergeMetadata('{"a":1}', parse(change) ?? null);
    expect(text).toBe('{"a":1,"__proto__":{"polluted":1},"constructor":2,"toString":3}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    const removal = JSON.parse('{"__proto__": null, "constructor": null, "toString": null}');
    expect(mergeMetadata(text, parse(removal) ?? null)).toBe('{"a":1}');
  });
});
