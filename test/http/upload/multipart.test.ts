import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import {
  BodyTooLargeError,
  FIELD_BYTES_MAX,
  gather,
  MalformedBodyError,
} from '../../../src/http/body.ts';
import { type FilePart, readMultipart } from '../../../src/http/upload/multipart.ts';

/** A file as it arrived, with its bytes. */
type Received = Omit<FilePart, 'bytes'> & { bytes: Buffer };

interface Parsed {
  fields: Record<string, string>;
  files: Received[];
}

const IS_FILE = ['image', 'umbracoFile'];

function toRequest(pieces: Iterable<Buffer>, contentType: string): IncomingMessage {
  const headers = { 'content-type': contentType };
  return Object.assign(Readable.from(pieces), { headers }) as unknown as IncomingMessage;
}

/** Yields the body in pieces of that many bytes. */
function* inPieces(body: Buffer, sizeBytes: number): Generator<Buffer> {
  for (let at = 0; at < body.length; at += sizeBytes) yield body.subarray(at, at + sizeBytes);
}

async function parse(
  body: Buffer | string,
  { boundary = 'b', pieceBytes = 65_536 } = {},
): Promise<Parsed> {
  const request = toRequest(
    inPieces(Buffer.from(body), pieceBytes),
    `multipart/form-data; boundary=${boundary}`,
  );
  const files: Received[] = [];
  const fields = await readMultipart(request, {
    isFile: (name) => IS_FILE.includes(name),
    onFile: async (file) => {
      const { bytes, ...rest } = file;
      files.push({ ...rest, bytes: await gather(bytes, 1e9) });
    },
  });
  return { fields: Object.fromEntries(fields), files };
}

function part(header: string, body: string): string {
  return `--b\r\n${header}\r\n\r\n${body}\r\n`;
}

const field = (name: string, value: string) =>
  part(`Content-Disposition: form-data; name="${name}"`, value);

describe('parts', () => {
  it('are separated wherever the body is cut', async () => {
    const bytes = Buffer.from('\r\n--\r\n--b\r-\n--bb\r\n-\r\n\r\n--\r\r\n-', 'latin1');
    const all = Buffer.concat([bytes, Buffer.from(Array.from({ length: 256 }, (_, at) => at))]);
    const body = Buffer.concat([
      Buffer.from('a preamble\r\n'),
      Buffer.from('--bound\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'),
      Buffer.from('--bound\r\nContent-Disposition: form-data; name="image"\r\n\r\n'),
      all,
      Buffer.from('\r\n--bound\r\nContent-Disposition: form-data; name="image"\r\n\r\n'),
      Buffer.from('\r\n--bound--an epilogue\r\n--bound\r\n'),
    ]);
    for (let pieceBytes = 1; pieceBytes <= body.length; pieceBytes++) {
      const { fields, files } = await parse(body, { boundary: 'bound', pieceBytes });
      expect(fields).toEqual({ a: '1' });
      expect(files.map(({ bytes }) => bytes)).toEqual([all, Buffer.alloc(0)]);
    }
  });

  it('come in any order, and the last field of a name wins', async () => {
    const body = `${field('a', '1')}${field('image', 'x')}${field('a', '2')}${field('b', '')}--b--`;
    const { fields, files } = await parse(body);
    expect(fields).toEqual({ a: '2', b: '' });
    expect(files).toHaveLength(1);
  });

  it('can be fields of any Unicode, with names that are special in JavaScript', async () => {
    const request = toRequest(
      [Buffer.from(`${field('__proto__', 'résumé 日')}${field('constructor', '')}--b--`)],
      'multipart/form-data; boundary=b',
    );
    const fields = await readMultipart(request, { isFile: () => false, onFile: async () => {} });
    expect([...fields]).toEqual([
      ['__proto__', 'résumé 日'],
      ['constructor', ''],
    ]);
  });

  it('without form-data, a name or any header are skipped, however large', async () => {
    const large = 'x'.repeat(300_000);
    const body = [
      part('Content-Disposition: attachment; name="image"', large),
      part('Content-Disposition: form-data', large),
      part('X: y', large),
      `--b\r\n\r\n${large}\r\n`,
      field('a', '1'),
      '--b--\r\n',
    ].join('');
    expect(await parse(body)).toEqual({ fields: { a: '1' }, files: [] });
  });

  it('with a filename that was not asked for are discarded', async () => {
    const body = part('Content-Disposition: form-data; name="z"; filename="z"', 'x'.repeat(1e6));
    const large = body.repeat(5);
    expect(await parse(`${large}${field('a', '1')}--b--`)).toEqual({
      fields: { a: '1' },
      files: [],
    });
  });

  it('may have space after their boundary, which may be quoted and of many characters', async () => {
    const boundary = "'()+_,-./:=? 0";
    const header = 'Content-Disposition: form-data; name="a"';
    const body = `--${boundary} \t\r\n${header}\r\n\r\n1\r\n--${boundary}--`;
    expect((await parse(body, { boundary: `"${boundary}"` })).fields).toEqual({ a: '1' });
  });
});

describe('files', () => {
  it.each([
    ['name="image"', null],
    ['name=image', null],
    ['name="image"; filename="a.png"', 'a.png'],
    ['name=image; filename=a.png', 'a.png'],
    ['filename="a;b.png" ; NAME="image"', 'a;b.png'],
    ['name="image"; fileName="a.png"', 'a.png'],
    ['name="image"; filename=""', ''],
    ['name="image"; filename="Blåbær 日.png"', 'Blåbær 日.png'],
    ['name="image"; filename="a %22b%22.png"', 'a "b".png'],
    ['name="image"; filename="a \\"b\\".png"', 'a "b".png'],
    ['name="image"; filename="C:\\photos\\a.png"', 'a.png'],
    ['name="image"; filename="../../etc/passwd"', 'passwd'],
    ['name=image; filename="=?utf-8?B?Qg==?="; filename*=utf-8\'\'Bl%C3%A5%20b.png', 'Blå b.png'],
    ["name=image; filename*=UTF-8'da'Bl%C3%A5.png; filename=b.png", 'Blå.png'],
    ["name=image; filename*=utf-8''%ff; filename=b.png", 'b.png'],
    ['name="image";\r\n\tfilename="a.png"', 'a.png'],
  ])('of %s are called %j', async (parameters, filename) => {
    const body = `${part(`content-disposition: Form-Data; ${parameters}`, 'x')}--b--`;
    const { files } = await parse(body);
    expect(files).toEqual([{ name: 'image', filename, mediaType: null, bytes: Buffer.from('x') }]);
  });

  it.each([
    ['Content-Type: image/PNG; charset=x', 'image/png'],
    ['content-type:image/png', 'image/png'],
    ['X-Content-Type: image/png', null],
  ])('with %j are of type %s', async (header, mediaType) => {
    const body = part(`Content-Disposition: form-data; name="image"\r\n${header}`, 'x');
    expect((await parse(`${body}--b--`)).files[0]?.mediaType).toBe(mediaType);
  });

  it('that are not read to their end do not block the rest', async () => {
    const body = `${field('image', 'x'.repeat(200_000)).repeat(3)}${field('a', '1')}--b--`;
    for (const take of [0, 1]) {
      const request = toRequest(
        inPieces(Buffer.from(body), 50_000),
        'multipart/form-data; boundary=b',
      );
      const fields = await readMultipart(request, {
        isFile: (name) => name === 'image',
        onFile: async ({ bytes }) => {
          if (take === 0) return;
          for await (const _piece of bytes) break;
        },
      });
      expect([...fields]).toEqual([['a', '1']]);
    }
  });

  it('are read no faster than they are consumed', async () => {
    let givenBytes = 0;
    function* source() {
      yield Buffer.from('--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n');
      for (let count = 0; count < 100; count++) {
        givenBytes += 65_536;
        yield Buffer.alloc(65_536, 'x');
      }
      yield Buffer.from('\r\n--b--');
    }
    const request = toRequest(source(), 'multipart/form-data; boundary=b');
    let takenBytes = 0;
    await readMultipart(request, {
      isFile: () => true,
      onFile: async ({ bytes }) => {
        for await (const piece of bytes) {
          takenBytes += piece.length;
          await new Promise(setImmediate);
          // A stream of objects buffers 16 of them by itself.
          expect(givenBytes - takenBytes).toBeLessThan(20 * 65_536);
        }
      },
    });
    expect(takenBytes).toBe(6_553_600);
  });
});

describe('a failure', () => {
  const whole = `${field('a', '1')}${field('image', 'xyz')}--b--`;

  it('is a body that ends early, at any byte, and the file in it fails as well', async () => {
    for (let length = 0; length < whole.length; length++) {
      const body = whole.slice(0, length);
      await expect(parse(body), body).rejects.toBeInstanceOf(MalformedBodyError);
    }
    await expect(parse(whole)).resolves.toHaveProperty('fields', { a: '1' });
  });

  it.each(['', '""', 'x'.repeat(201)])('is a boundary of %j', async (boundary) => {
    await expect(parse(whole, { boundary })).rejects.toBeInstanceOf(MalformedBodyError);
  });

  it('is a boundary followed by other text', async () => {
    const error = await parse(whole.replaceAll('--b\r\n', '--bb\r\n')).catch((error) => error);
    expect(error).toBeInstanceOf(MalformedBodyError);
  });

  it('is the fields exceeding their common limit', async () => {
    const half = field('a', 'x'.repeat(FIELD_BYTES_MAX / 2));
    await expect(parse(`${half.repeat(2)}--b--`)).resolves.toBeDefined();
    const body = `${half.repeat(2)}${field('b', '1')}--b--`;
    await expect(parse(body)).rejects.toBeInstanceOf(BodyTooLargeError);
  });

  it('is more than a thousand parts', async () => {
    await expect(parse(`${field('a', '').repeat(1000)}--b--`)).resolves.toBeDefined();
    const body = `${field('a', '').repeat(1001)}--b--`;
    await expect(parse(body)).rejects.toThrow('more than 1000 parts');
  });

  it('is an error of onFile; the rest of the request is read on', async () => {
    const pieces = [...inPieces(Buffer.from(`${whole}${'x'.repeat(1e6)}`), 10_000)];
    const request = toRequest(pieces, 'multipart/form-data; boundary=b');
    const mine = new Error('mine');
    const onFile = () => Promise.reject(mine);
    await expect(readMultipart(request, { isFile: () => true, onFile })).rejects.toBe(mine);
    await expect.poll(() => (request as unknown as Readable).readableEnded).toBe(true);
  });

  it('is a client that disconnects; the file being read fails too', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const cut = Object.assign(new Readable({ read() {} }), { headers });
    cut.push(whole.slice(0, -10));
    let fileError: unknown;
    const reading = readMultipart(cut as unknown as IncomingMessage, {
      isFile: (name) => name === 'image',
      onFile: async ({ bytes }) => {
        try {
          await text(bytes as AsyncIterable<Buffer>);
        } catch (error) {
          fileError = error;
          throw error;
        }
      },
    });
    setImmediate(() => cut.destroy(new Error('reset')));
    await expect(reading).rejects.toBeInstanceOf(MalformedBodyError);
    expect(fileError).toBeInstanceOf(MalformedBodyError);
  });
});
