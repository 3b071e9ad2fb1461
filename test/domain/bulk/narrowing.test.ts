import { expect, it } from 'vitest';
import { deleteWhere } from '../../../src/domain/bulk/delete-where.ts';
import { MEDIA_TYPES } from '../../../src/domain/tree/media.ts';
import type { MediaFilter } from '../../../src/domain/tree/media-filter.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeMediaRow } from '../../support/make.ts';

const admin = ({ as }: TestServices) => as(user('root', 'admin'));

describeEachBackend('changes of all media that match a filter', (backend) => {
  it.each<[string, MediaFilter]>([
    ['no field', {}],
    ['absent fields', { search: undefined, ids: undefined }],
    ['a blank search', { search: ' ' }],
    ['no tags', { tagIds: [] }],
    ['an unlimited span', { createdAt: {} }],
    ['unfiled: false', { unfiled: false }],
    ['not one of no filters', { not: { or: [] } }],
    ['not not everything', { not: { not: {} } }],
    ['the same within `and` and `or`', { and: [{ or: [{ tagged: true }, { not: { or: [] } }] }] }],
    ['none of no ids', { not: { ids: [] } }],
    ['none of no tags', { not: { and: [{ anyTagIds: [] }, { types: ['doc'] }] } }],
    ['none of no types', { not: { types: [] } }],
    ['none of no extensions', { not: { extensions: [] } }],
    ['none of no MIME types', { not: { mimeTypes: [] } }],
    ['not a search for no word', { not: { search: '...' } }],
    ['not below a folder that does not exist', { not: { underFolderId: 999 } }],
    ['every type', { types: MEDIA_TYPES }],
    ['every visibility', { visibility: ['private', 'public', 'unlisted'] }],
    ['tagged or not', { or: [{ tagged: true }, { tagged: false }] }],
    ['with an alternative text or not', { or: [{ hasAltText: false }, { hasAltText: true }] }],
    ['public or not', { or: [{ isPublic: true }, { isPublic: false }] }],
    ['a condition or its opposite', { or: [{ search: 'a' }, { not: { search: 'a' } }] }],
    ['not both of two opposites', { not: { types: ['doc'], not: { types: ['doc'] } } }],
    [
      'one type or all others',
      { or: [{ types: ['doc'] }, { types: MEDIA_TYPES.filter((type) => type !== 'doc') }] },
    ],
    [
      'a field or none',
      { or: [{ metadata: { key: 'a' } }, { metadata: { key: 'a', exists: false } }] },
    ],
    [
      'each of four cases',
      {
        or: [
          { tagged: true, hasAltText: true },
          { tagged: true, hasAltText: false },
          { tagged: false, hasAltText: true },
          { not: { or: [{ tagged: true }, { hasAltText: true }] } },
        ],
      },
    ],
    ['any size', { sizeBytes: { min: 0 } }],
    ['any width', { and: [{ width: { min: 0 } }] }],
    ['not of a malformed MD5', { not: { md5: 'x' } }],
    ['not of a blank owner', { not: { ownedBy: '' } }],
  ])('refuse a filter that leaves out nothing: %s', (_name, filter) =>
    withServices(backend, async (services) => {
      const ctx = admin(services);
      const refusal = { issues: [{ path: ['filter'], code: 'REQUIRED' }] };
      await expect(deleteWhere(ctx, { filter })).rejects.toMatchObject(refusal);
      await expect(deleteWhere(ctx, { filter, dryRun: true })).rejects.toMatchObject(refusal);
      expect(await services.db.selectFrom('job').selectAll().execute()).toEqual([]);
    }),
  );

  it.each<[string, MediaFilter, number]>([
    ['no ids', { ids: [] }, 0],
    ['one of no filters', { or: [] }, 0],
    ['not everything', { not: {} }, 0],
    ['not one type', { not: { types: ['doc'] } }, 1],
    ['not one of a type or of no ids', { not: { or: [{ types: ['doc'] }, { ids: [] }] } }, 1],
    [
      'one of two fields',
      { or: [{ metadata: { key: 'a' } }, { metadata: { key: 'b', exists: false } }] },
      3,
    ],
    [
      'three of four cases',
      { or: [{ types: ['doc'] }, { tagged: true }, { not: { tagged: false } }] },
      2,
    ],
    ['two sizes', { or: [{ sizeBytes: { min: 5 } }, { sizeBytes: { max: 5 } }] }, 0],
  ])('take a filter that leaves out something: %s', (_name, filter, count) =>
    withServices(backend, async (services) => {
      for (const type of ['image', 'doc', 'doc']) await makeMediaRow(services.db, { type });
      const started = await deleteWhere(admin(services), { filter, dryRun: true });
      expect(started.count).toBe(count);
    }),
  );
});
