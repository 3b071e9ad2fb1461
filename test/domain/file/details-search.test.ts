import { expect, it, vi } from 'vitest';
import { readDetails } from '../../../src/domain/file/details.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { updateMedia } from '../../../src/domain/tree/media-change.ts';
import { listMedias } from '../../../src/domain/tree/media-list.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { detailsOf } from '../../media/file/details-source.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';

describeEachBackend('a search by details', (backend) => {
  it('finds camera, lens, author and text once they have been read, and never the place', () =>
    withServices(backend, async (services) => {
      const [photo, pdf] = [
        await store(services, 'photo-with-details.jpg'),
        await store(services, 'document-with-text.pdf'),
      ];
      const { textSnippet = '' } = await detailsOf('document-with-text.pdf');
      const [word = ''] = textSnippet.match(/\p{L}{5,}/u) ?? [];
      const searches: [search: string, id: number][] = [
        ['canon', photo],
        ['eos R5', photo],
        ['RF24-70mm F2.8', photo],
        ['Jorg', photo],
        [word, pdf],
      ];
      for (const [search] of searches)
        expect([search, await found(services, search)]).toEqual([search, []]);
      for (const id of [photo, pdf]) await read(services, id);
      for (const [search, id] of searches) {
        expect([search, await found(services, search)]).toEqual([search, [id]]);
      }
      for (const place of ['52', '52.52', '13', '13.4', '34.5', 'latitude']) {
        expect([place, await found(services, place)]).toEqual([place, []]);
      }
    }));

  it('goes on finding them when other texts change, and those of a new file only', () =>
    withServices(backend, async (services) => {
      const id = await store(services, 'photo-with-details.jpg');
      await read(services, id);
      await updateMedia(services.as(user()), id, { description: 'By the sea.' });
      expect([await found(services, 'sea'), await found(services, 'canon')]).toEqual([[id], [id]]);
      const file = { filename: 'phone.mov', bytes: inPieces(fixtureBytes('phone.mov'), 999) };
      await replaceFile(services.as(user()), id, file);
      expect(await found(services, 'canon')).toEqual([]);
      await read(services, id);
      expect([await found(services, 'iphone'), await found(services, 'sea')]).toEqual([[id], [id]]);
      await replaceFile(services.as(user()), id, {
        filename: 'a.txt',
        bytes: inPieces(Buffer.from('text')),
      });
      expect(await found(services, 'iphone')).toEqual([]);
    }));

  it('costs subscribers no further event', () =>
    withServices(backend, async (services) => {
      const id = await store(services, 'photo-with-details.jpg');
      const publish = vi.spyOn(services.events, 'publish');
      await read(services, id);
      expect(publish).toHaveBeenCalledTimes(1);
    }));
});

async function store({ as }: TestServices, name: string): Promise<number> {
  const bytes = inPieces(fixtureBytes(name), 999);
  return (await uploadFile(as(user()), { filename: `file.${name.split('.').at(-1)}`, bytes })).id;
}

async function read({ as }: TestServices, id: number): Promise<void> {
  const ctx = as(user());
  const [file] = (await filesByMediaIds(ctx, [id])).get(id)!;
  await readDetails(ctx, file!.uuid);
}

async function found({ as }: TestServices, search: string): Promise<number[]> {
  const { nodes } = await listMedias(as(user()), { first: 10 }, { search });
  return nodes.map(({ id }) => id);
}
