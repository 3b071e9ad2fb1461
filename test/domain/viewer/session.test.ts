import { expect, it } from 'vitest';
import {
  beginAdminSession,
  findViewerByCredential,
  signOut,
} from '../../../src/domain/viewer/session.ts';
import { ADMIN } from '../../../src/domain/viewer/viewer.ts';
import { withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';

const HOURS = 3_600_000;

describeEachBackend('a session of the admin key', (backend) => {
  it('has its rights for twelve hours', () =>
    withServices(backend, async (services) => {
      const { token, expiresAt } = await beginAdminSession(services);
      expect(expiresAt.getTime()).toBe(services.clock() + 12 * HOURS);
      services.advance(12 * HOURS - 1);
      expect(await findViewerByCredential(services, token)).toMatchObject(ADMIN);
      services.advance(1);
      expect(await findViewerByCredential(services, token)).toBeNull();
    }));

  it('ends alone when it signs out', () =>
    withServices(backend, async (services) => {
      const [ended, other] = [await beginAdminSession(services), await beginAdminSession(services)];
      const viewer = await findViewerByCredential(services, ended.token);
      await signOut(services.as(viewer!));
      expect(await findViewerByCredential(services, ended.token)).toBeNull();
      expect(await findViewerByCredential(services, other.token)).toMatchObject(ADMIN);
    }));

  it('ends with another admin key', () =>
    withServices(backend, async (services) => {
      const { token } = await beginAdminSession(services);
      const renewed = { ...services, adminKeySha256: '0'.repeat(64) };
      expect(await findViewerByCredential(renewed, token)).toBeNull();
    }));
});
