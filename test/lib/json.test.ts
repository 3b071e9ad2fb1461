import { describe, expect, it } from 'vitest';
import { parseForeignJson } from '../../src/lib/json.ts';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const list = (length: number) => JSON.stringify(Array.from({ length }, () => ({})));

describe('JSON of a client', () => {
  it.each(['1', '"a"', '{"a":[1,null]}', ` ${' '.repeat(500)} {"a":"b"}`])(
    'is parsed: %s',
    (text) => {
      expect(parseForeignJson(text)).toEqual(JSON.parse(text));
    },
  );

  it('may be nested 100 levels, and have 10,000 values', () => {
    expect(parseForeignJson(nested(100))).toEqual(JSON.parse(nested(100)));
    expect(parseForeignJson(list(10_000))).toHaveLength(10_000);
  });

  it.each([nested(101), `{"a":${nested(100)}}`, list(10_001)])('is refused beyond that', (text) => {
    expect(() => parseForeignJson(text)).toThrow(SyntaxError);
  });

  it('counts nothing within strings', () => {
    const value = ['[{,'.repeat(10_000), '\\', `\\"${'['.repeat(200)}`, '\\\\', ']'.repeat(200)];
    expect(parseForeignJson(JSON.stringify(value))).toEqual(value);
  });

  it.each([`"${'['.repeat(500)}`, `${'a'.repeat(500)}`, `"${'\\"'.repeat(500)}`])(
    'is refused if it is malformed',
    (text) => {
      expect(() => parseForeignJson(text)).toThrow(SyntaxError);
    },
  );
});
