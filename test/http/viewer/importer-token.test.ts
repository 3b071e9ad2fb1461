import { describe, expect, it } from 'vitest';
import { makeJwt } from '../../support/make.ts';
import { ask, expectRejected, SECRET } from './authenticate.ts';

describe("a token of the Importer's own service", () => {
  it.each([
    ['admin', 'admin'],
    ['system', 'admin'],
    ['user', 'editor'],
    ['org_owner', 'editor'],
    ['project_rw_org', 'editor'],
    ['api/project_rw_all', 'editor'],
    ['project_ro_org', 'reader'],
    ['api/project_ro_all', 'reader'],
    ['administrator', 'reader'],
    [undefined, 'reader'],
    [null, 'reader'],
    [['admin'], 'reader'],
    [[['system']], 'reader'],
    [{ name: 'admin' }, 'reader'],
    ['admin\n', 'reader'],
    ['project_rw_a project_rw_b', 'reader'],
  ])('with the role %j is for a viewer with the role %s', async (r, role) => {
    const token = await makeJwt(
      { u: { id: 7, email: 'a@b.example' }, r, s: {} },
      { secret: SECRET },
    );
    const viewer = await ask({ authorization: `Bearer ${token}` });
    expect(viewer).toMatchObject({ kind: 'user', id: '7', role });
  });

  it.each([
    [{}],
    [null],
    ['7'],
    [{ id: null }],
    [{ id: 'key:1' }],
    [{ id: {} }],
    [{ id: '\u200b' }],
    [{ id: ' \u3164\u202e' }],
  ])('is rejected with the user %j', async (u) => {
    const token = await makeJwt({ u, r: 'admin' }, { secret: SECRET });
    await expectRejected(token);
  });

  it.each([
    ['project_ro_1', 'admin', 'reader'],
    ['user', 'admin', 'editor'],
    [['user'], 'admin', 'reader'],
    ['admin', 'reader', 'admin'],
    [undefined, 'admin', 'reader'],
  ])('with r %j and role %j is for a viewer with the role %s', async (r, role, expected) => {
    const token = await makeJwt({ u: { id: 7 }, r, role }, { secret: SECRET });
    const viewer = await ask({ authorization: `Bearer ${token}` });
    expect(viewer).toMatchObject({ id: '7', role: expected });
  });

  it('leaves the claims of others as they are', async () => {
    const token = await makeJwt(
      { sub: 'alice', u: { id: 7 }, r: 'admin', role: 'reader' },
      { secret: SECRET },
    );
    const viewer = await ask({ authorization: `Bearer ${token}` });
    expect(viewer).toMatchObject({ id: 'alice', role: 'reader' });
  });
});
