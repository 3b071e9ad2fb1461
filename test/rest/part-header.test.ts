import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { fixtureBytes } from '../support/bytes.ts';
import { UploadFileDocument } from '../support/document.ts';
import { sendRaw, toRequest } from '../support/raw-request.ts';
import { shareApp } from '../support/shared-app.ts';

const PICTURE = fixtureBytes('picture.png');

/** Parameters of a Content-Disposition as senders write them, byte for byte, and the name that they mean. */
const NAMES: Readonly<Record<string, [parameters: string | Buffer, filename: string]>> = {
  'a token': ['filename=token.png', 'token.png'],
  'no quotes, and spaces': ['filename=a b.png', 'a b.png'],
  'spaces around the equals sign': ['filename = "a.png" ; x = y', 'a.png'],
  'UTF-8': ['filename="Blåbær 日.png"', 'Blåbær 日.png'],
  'quotes as rest-client and Guzzle write them': ['filename="Blå "x" 日.png"', 'Blå "x" 日.png'],
  'quotes with a semicolon': ['filename="a "b"; c.png"', 'a "b"; c.png'],
  'a quote that is never closed': ['filename="open.png', 'open.png'],
  'quotes with backslashes': ['filename="a \\"b\\".png"', 'a "b".png'],
  'quotes as browsers write them': ['filename="a %22b%22.png"', 'a "b".png'],
  'an extended name': ["filename*=UTF-8''Bl%C3%A5.png", 'Blå.png'],
  'an extended name in quotes': [`filename="b.png"; filename*="UTF-8''Bl%c3%a5.png"`, 'Blå.png'],
  'an extended name, not encoded': ["filename*=UTF-8''Blå 日.png", 'Blå 日.png'],
  'an extended name in ISO 8859-1': ["filename*=iso-8859-1'da'Bl%E5.png", 'Blå.png'],
  'a broken extended name': ["filename*=utf-8''%ff; filename=b.png", 'b.png'],
  'a name in parts': [
    `filename*0*=UTF-8''Bl%C3; filename*1*=%A5; filename*2=" 100%.png"`,
    'Blå 100%.png',
  ],
  'encoded words': ['filename="=?utf-8?B?QmzD?= =?utf-8?B?pS5wbmc=?="', 'Blå.png'],
  'an encoded word among others': ['filename="a =?UTF-8?Q?caf=C3=A9_1?=.png"', 'a café 1.png'],
  'ISO 8859-1': [Buffer.from('filename="café.png"', 'latin1'), 'café.png'],
  'windows-1252': [Buffer.from('filename="\x80 5 \x96 \x93x\x94.png"', 'latin1'), '€ 5 – “x”.png'],
  'NFD, as macOS sends it': ['filename="Sen\u0303or.png"', 'Señor.png'],
  'a stem that shows nothing': ['filename="\u3164.png"', 'image.png'],
  'direction marks': ['filename="a\u202egnp.\u2066b\u200f.png"', 'agnp.b.png'],
  'a path': ['filename="C:\\photos\\a.png"', 'a.png'],
  'a folded line': ['\r\n\tfilename="folded.png"', 'folded.png'],
};

type Part = string | [name: string, parameters: string | Buffer, bytes: Buffer];

/** Returns a multipart body; a text is a field, `name=value`. */
function toBody(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap((part) => {
    const [name, parameters, bytes] =
      typeof part === 'string'
        ? [part.slice(0, part.indexOf('=')), '', Buffer.from(part.slice(part.indexOf('=') + 1))]
        : part;
    return [
      Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"${parameters && '; '}`),
      Buffer.from(parameters),
      Buffer.from('\r\n\r\n'),
      bytes,
      Buffer.from('\r\n'),
    ];
  });
  return Buffer.concat([...pieces, Buffer.from('--b--\r\n')]);
}

async function send(app: TestApp, line: string, parts: readonly Part[]) {
  const headers = [
    'Content-Type: multipart/form-data; boundary=b',
    `Api-Key: ${app.adminKey}`,
    'X-GraphQL-Yoga-CSRF: 1',
  ];
  const answer = await sendRaw(app, toRequest(line, headers, toBody(parts)));
  expect(answer?.status, answer?.body).toBeLessThan(300);
  return JSON.parse(answer?.body ?? '');
}

type Send = (app: TestApp, parameters: string | Buffer) => Promise<unknown>;

let resources = 0;

/** Each way in for a part with a file. */
const DOORS: Readonly<Record<string, Send>> = {
  GraphQL: (app, parameters) =>
    send(app, 'POST /graphql', [
      `operations=${JSON.stringify({ query: UploadFileDocument, variables: { input: {} } })}`,
      'map={"0":["variables.input.file"]}',
      ['0', parameters, PICTURE],
    ]),
  SelfCommunity: async (app, parameters) => {
    const path = '/api/v2/media/upload';
    const { upload_id } = await send(app, `POST ${path}/chunk/`, [['image', parameters, PICTURE]]);
    const md5 = createHash('md5').update(PICTURE).digest('hex');
    const fields = [`upload_id=${upload_id}`, `md5=${md5}`, 'type=image'];
    return send(app, `POST ${path}/complete/`, fields);
  },
  Heartcore: (app, parameters) =>
    send(app, 'POST /media', [
      `content=${JSON.stringify({ mediaTypeAlias: 'Image', name: 'a', umbracoFile: {} })}`,
      ['umbracoFile', parameters, PICTURE],
    ]),
  Importer: (app, parameters) => {
    resources += 1;
    return send(app, `POST /medias/files/part-${resources}`, [['media', parameters, PICTURE]]);
  },
};

describeEachBackend('a part of a form', (backend) => {
  const app = shareApp(backend);

  test.each(Object.entries(NAMES))(
    'has one name at every door: %s',
    async (_, [parameters, filename]) => {
      for (const [door, upload] of Object.entries(DOORS)) {
        await upload(app(), parameters);
        const files = app().services.db.selectFrom('file').select('filename');
        const last = await files.orderBy('id', 'desc').limit(1).executeTakeFirst();
        expect(last, door).toEqual({ filename });
      }
    },
  );

  test('has a value in ISO 8859-1', async () => {
    const tag = await send(app(), 'POST /api/v2/tag/', [
      ['name', '', Buffer.from('café', 'latin1')],
    ]);
    expect(tag).toMatchObject({ name: 'café' });
  });
});
