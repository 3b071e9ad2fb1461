import { expect, test } from 'vitest';
import { withApp } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import {
  COMPLETE_PATH,
  complete,
  fieldRefusal,
  md5Of,
  readFixture,
  send,
  sendFile,
  upload,
} from '../../../support/selfcommunity.ts';
import { ANY_MD5, JSON_TYPE, UNKNOWN_ID } from './chunk.ts';

describeEachBackend('§2.2: the type of an upload over SelfCommunity', (backend) => {
  const UPLOADS: Record<string, [type: string | undefined, fixture: string][]> = {
    image: [
      ['image', 'picture.png'],
      ['file', 'animation.gif'],
      ['', 'picture.webp'],
      ['null', 'picture.png'],
      [undefined, 'photo-with-exif-rotation.jpg'],
    ],
    eimage: [['eimage', 'picture.png']],
    doc: [
      ['doc', 'document.pdf'],
      ['document', 'document.pdf'],
      ['file', 'document.pdf'],
      ['undefined', 'document.pdf'],
      [undefined, 'document.pdf'],
    ],
  };

  test.each(
    Object.entries(UPLOADS).flatMap(([made, uploads]) =>
      uploads.map(([type, name]) => ({ type, name, made })),
    ),
  )('$type of $name makes $made, whatever it is called', ({ type, name, made }) =>
    withApp(backend, async (app) => {
      const options = { filename: 'blob', ...(type !== undefined && { type }) };
      const answer = await upload(app, await readFixture(name), options);
      expect(answer).toMatchObject({ status: 201, body: { type: made } });
    }),
  );

  test('null in JSON counts as absent', () =>
    withApp(backend, async (app) => {
      const pdf = await readFixture('document.pdf');
      const upload_id = await sendFile(app, pdf);
      const body = JSON.stringify({ type: null, upload_id, md5: md5Of(pdf).toUpperCase() });
      const answer = await send(app, COMPLETE_PATH, { body, headers: JSON_TYPE });
      expect(answer).toMatchObject({ status: 201, body: { type: 'doc' } });
    }));

  test('§8 row 4: vimeo, url and embed are not valid choices, nor is anything else', () =>
    withApp(backend, async (app) => {
      for (const type of ['vimeo', 'url', 'embed', 'share', 'Image', 'video', '__proto__']) {
        const answer = await complete(app, { upload_id: UNKNOWN_ID, md5: ANY_MD5, type });
        const message = `"${type}" is not a valid choice.`;
        expect(answer).toMatchObject(fieldRefusal('type', message, 'invalid_choice'));
      }
    }));

  test.each([
    ['image', 'document.pdf'],
    ['eimage', 'document.pdf'],
    ['doc', 'picture.png'],
    ['document', 'picture.png'],
    ['document', 'clip.mp4'],
    ['image', 'truncated.jpg'],
    ['eimage', 'note.txt'],
  ])('%s of %s is refused, naming the field', (type, name) =>
    withApp(backend, async (app) => {
      const options = { filename: 'blob', ...(type !== undefined && { type }) };
      const answer = await upload(app, await readFixture(name), options);
      expect(answer).toMatchObject(fieldRefusal('type', expect.any(String), 'invalid'));
    }),
  );

  test.each([
    [undefined, 'note.txt', 'file'],
    [undefined, 'clip.mp4', 'video'],
    [undefined, 'drawing.svg', 'vector'],
    ['file', 'page.html', 'file'],
    ['file', 'truncated.jpg', 'file'],
    ['document', 'note.txt', 'file'],
    ['doc', 'truncated.png', 'file'],
  ])('%s of %s is stored, as %s', (type, name, expected) =>
    withApp(backend, async (app) => {
      const options = { filename: name, ...(type !== undefined && { type }) };
      const { status, body } = await upload(app, await readFixture(name), options);
      expect({ status, body }).toMatchObject({ status: 201, body: { type: expected } });
      expect([body.image, body.image_width]).toEqual([null, null]);
      expect(body.url).toContain('/media/');
    }),
  );

  test('a page that its part declares as an image is refused', () =>
    withApp(backend, async (app) => {
      const options = { filename: 'a.jpg', contentType: 'image/jpeg' };
      const answer = await upload(app, await readFixture('page.html'), options);
      expect(answer).toMatchObject(fieldRefusal('type', expect.any(String), 'invalid'));
    }));

  test('the configuration decides which types are documents', () =>
    withApp(
      backend,
      async (app) => {
        const options = { filename: 'a.csv', type: 'doc' };
        const answer = await upload(app, await readFixture('table.csv'), options);
        expect(answer).toMatchObject({ status: 201, body: { type: 'doc', title: 'a.csv' } });
      },
      { TRIVIUM_DOCUMENT_TYPES: 'application/pdf, text/csv' },
    ));
});

describeEachBackend('§3: the media item of an upload over SelfCommunity', (backend) => {
  test('of an image has its URL, size and type, and its bytes are those that were sent', () =>
    withApp(backend, async (app) => {
      const png = await readFixture('picture.png');
      const { body } = await upload(app, png, { filename: 'Täglich "1" 日.png' });
      expect(body).toMatchObject({
        type: 'image',
        title: 'Täglich "1" 日.png',
        url: null,
        image_width: 20,
        image_height: 16,
        image_mimetype: 'image/png',
        size: png.length,
      });
      expect(body.image).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/media\/[a-z0-5]{8}\/[\w.-]+\.png$/);
      const sent = await fetch(body.image);
      expect(Buffer.from(await sent.arrayBuffer()).equals(png)).toBe(true);
    }));

  test('of a document has its URL and name, and its bytes are those that were sent', () =>
    withApp(backend, async (app) => {
      const pdf = await readFixture('document.pdf');
      const { body } = await upload(app, pdf, { filename: 'résumé (1).pdf', type: 'document' });
      const expected = { type: 'doc', title: 'résumé (1).pdf', image: null, image_width: null };
      expect(body).toMatchObject({ ...expected, mimetype: 'application/pdf' });
      expect(body.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/media\/[a-z0-5]{8}\/[\w.-]+\.pdf$/);
      const sent = await fetch(body.url);
      expect(Buffer.from(await sent.arrayBuffer()).equals(pdf)).toBe(true);
    }));

  test('has links that begin with the configured URL', () =>
    withApp(
      backend,
      async (app) => {
        const { body } = await upload(app, await readFixture('picture.png'));
        expect(body.image).toMatch(/^https:\/\/media\.example\/base\/media\//);
      },
      { TRIVIUM_PUBLIC_URL: 'https://media.example/base/' },
    ));

  test('§8 row 19: of an image called `blob` has no title', () =>
    withApp(backend, async (app) => {
      const { body } = await upload(app, await readFixture('picture.png'), { filename: 'blob' });
      expect(body.title).toBeNull();
    }));

  test('of a document without a name still has a title', () =>
    withApp(backend, async (app) => {
      const pdf = await readFixture('document.pdf');
      expect((await upload(app, pdf, { filename: 'blob' })).body.title).toMatch(/\.pdf$/);
    }));
});
