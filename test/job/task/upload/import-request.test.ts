import { describe, expect, it } from 'vitest';
import { createFolder } from '../../../../src/domain/tree/folder.ts';
import { type ImportInput, importUrl, requestJob } from '../../../../src/domain/upload/import.ts';
import { SYSTEM } from '../../../../src/domain/viewer/viewer.ts';
import { user } from '../../../support/app.ts';
import { BACKENDS } from '../../../support/backend.ts';
import { shareServices } from '../../../support/shared-app.ts';
import { importer } from './import.ts';

describe('an import is rejected for', () => {
  const services = shareServices(BACKENDS[0]!);
  const url = 'https://example.org/a.png';
  const none = '00000000-0000-4000-8000-000000009999';

  it.each<[string, ImportInput, object]>([
    ['an invalid URL', { url: 'no' }, { issues: [{ path: ['url'] }] }],
    ['another scheme', { url: 'ftp://example.org/a' }, { issues: [{ path: ['url'] }] }],
    [
      'a URL with a password',
      { url: 'https://me:secret@example.org/a' },
      { issues: [{ path: ['url'] }] },
    ],
    ['an unknown folder', { url, folderId: 9999 }, { noun: 'folder' }],
    ['an unknown tag', { url, tagIds: [9999] }, { noun: 'tag' }],
  ])('%s', async (_what, input, error) => {
    await expect(importUrl(services().as(importer), input)).rejects.toMatchObject(error);
  });

  it.each<[string, Record<string, unknown>, (string | number)[]]>([
    ['an unknown folder', { url, folder_uuid: none }, ['arguments', 'folder_uuid']],
    ['an unknown tag', { url, tags: [9999] }, ['arguments', 'tags']],
    ['a URL with a password', { url: 'https://me:secret@example.org/a' }, ['arguments', 'url']],
  ])('%s in the arguments of a job', async (_what, args, path) => {
    const started = requestJob(services().as(importer), {
      jobClass: 'import-url',
      arguments: args,
    });
    await expect(started).rejects.toMatchObject({ code: 'INVALID_INPUT', issues: [{ path }] });
  });

  it('a folder that the viewer cannot see', async () => {
    const admin = services().as(SYSTEM);
    const inside = await createFolder(admin, { name: 'Inside' });
    const outside = await createFolder(admin, { name: 'Outside' });
    const startNodes = [{ id: inside.id, below: `/1/${inside.id}/` }];
    const limited = services().as({ kind: 'user', id: 'bob', role: 'editor', startNodes });
    await expect(importUrl(limited, { url, folderId: outside.id })).rejects.toMatchObject({
      noun: 'folder',
    });
    expect((await importUrl(limited, { url, folderId: inside.id })).startedBy).toBe('bob');
  });

  it.each([
    ['a reader', user('carol', 'reader'), 'ForbiddenError'],
    ['an anonymous viewer', undefined, 'NotAuthenticatedError'],
  ])('%s', async (_who, viewer, name) => {
    await expect(importUrl(services().as(viewer), { url })).rejects.toMatchObject({ name });
  });
});
