import { expect, it } from 'vitest';
import { beginAdminSession, isValidAdminToken } from '../../../src/domain/viewer/admin-session.ts';
import { findViewerByKey } from '../../../src/domain/viewer/key.ts';
import { withServices } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';

const HOURS = 3_600_000;

it('a token has the rights of the admin key for twelve hours', () =>
  withServices(BACKENDS[0]!, async (services) => {
    const { token, expiresAt } = beginAdminSession(services);
    expect(expiresAt.getTime()).toBe(services.clock() + 12 * HOURS);
    const admin = { kind: 'key', id: 'key:admin', role: 'admin' };
    expect(await findViewerByKey(services, token)).toEqual(admin);
    services.advance(12 * HOURS - 1);
    expect(await findViewerByKey(services, token)).toEqual(admin);
    services.advance(1);
    expect(await findViewerByKey(services, token)).toBeNull();
  }));

it('a token that has been changed, or signed with another admin key, is refused', () => {
  const services = { adminKeySha256: 'a'.repeat(64), clock: () => 0 };
  const { token } = beginAdminSession(services);
  expect(isValidAdminToken(services, token)).toBe(true);
  const later = token.replace(/_(\d+)_/, (_all, expiry) => `_${Number(expiry) + 1}_`);
  for (const wrong of [later, token.slice(0, -1), `${token}A`, 'tva_', 'tva_9_', token.slice(4)]) {
    expect(isValidAdminToken(services, wrong)).toBe(false);
  }
  const other = { ...services, adminKeySha256: 'b'.repeat(64) };
  expect(isValidAdminToken(other, token)).toBe(false);
});
