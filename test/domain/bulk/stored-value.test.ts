import { expect, test } from 'vitest';
import { fromStored, toStored } from '../../../src/domain/bulk/stored-value.ts';

test.each([
  {},
  { ids: [1, 2], search: 'a', unfiled: true, createdAt: { from: new Date(5), to: new Date(7) } },
  { and: [{ not: { updatedAt: { from: new Date(1) } } }, { or: [{ types: ['image'] }] }] },
  { metadata: { key: 'k', equals: { $date: '2020-01-01' } } },
  { metadata: { $a: null, $$date: [new Date(0), 1.5, 'x', false] } },
])('%j is the same after it was stored as JSON', (value) => {
  expect(fromStored(JSON.parse(JSON.stringify(toStored(value))))).toEqual(value);
});

test('absent fields are left out', () => {
  expect(toStored({ a: undefined, b: null, c: { d: undefined } })).toEqual({ b: null, c: {} });
});
