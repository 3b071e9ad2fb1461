import { expect, it } from 'vitest';
import { parseUuid, parseUuidOrDigits } from '../../src/lib/uuid.ts';

const UUID = '019BB5F0-0000-7000-8000-000000000001';
const DIGITS = UUID.replaceAll('-', '');

it('a UUID is accepted in either case, and with nothing around it', () => {
  expect(parseUuid(UUID)).toBe(UUID.toLowerCase());
  expect([parseUuid(`${UUID} `), parseUuid(DIGITS)]).toEqual([null, null]);
});

it('a UUID without hyphens is accepted where that is allowed, but not with some of them', () => {
  expect([UUID, DIGITS].map(parseUuidOrDigits)).toEqual([UUID, UUID].map((id) => id.toLowerCase()));
  expect(parseUuidOrDigits(UUID.replace('-', ''))).toBeNull();
  expect(parseUuidOrDigits(`${DIGITS}0`)).toBeNull();
});
