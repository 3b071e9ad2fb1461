import { isScalarType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';

function parse(scalar: string, value: unknown): unknown {
  const type = schema.getType(scalar);
  if (!isScalarType(type)) throw new Error(`${scalar} is not a scalar.`);
  return type.parseValue(value);
}

describe('DateTime', () => {
  test.each([
    ['2026-11-21T09:30:00.000Z', '2026-11-21T09:30:00.000Z'],
    ['2026-11-21T09:30:00+02:00', '2026-11-21T07:30:00.000Z'],
    // Without an offset, the time zone of the server must not matter.
    ['2026-11-21T09:30:00', '2026-11-21T09:30:00.000Z'],
    ['2026-11-21T09:30', '2026-11-21T09:30:00.000Z'],
  ])('%s is read as %s', (text, iso) => {
    expect(parse('DateTime', text)).toEqual(new Date(iso));
  });

  test.each(['2026-11-21', '2026-02-30T00:00:00Z', '2026-11-21T09:30:00 EST', '', 0, true])(
    '%s is rejected',
    (value) => {
      expect(() => parse('DateTime', value)).toThrow('ISO 8601');
    },
  );
});

describe('UUID', () => {
  const uuid = '019bb5f0-0000-7000-8000-000000000001';

  test.each([uuid, uuid.toUpperCase(), uuid.replaceAll('-', '')])(
    '%s is accepted and normalized',
    (text) => {
      expect(parse('UUID', text)).toBe(uuid);
    },
  );

  test.each([`${uuid} `, uuid.slice(1), '', 1])('%s is rejected', (value) => {
    expect(() => parse('UUID', value)).toThrow('UUID');
  });
});
