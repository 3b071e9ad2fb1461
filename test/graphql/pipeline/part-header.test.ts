import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { UploadFileDocument } from '../../support/document.ts';
import { shareApp } from '../../support/shared-app.ts';

/** Parameters of a Content-Disposition, the header lines behind it, and the file that they declare. */
const HEADERS: [parameters: string, more: string, filename: string, mimeType: string][] = [
  ['filename="plain.txt"', '', 'plain.txt', 'text/plain'],
  ['filename=token.txt', '', 'token.txt', 'text/plain'],
  ['FileName="case.txt"', '', 'case.txt', 'text/plain'],
  ['filename="Blåbær 日.txt"', '', 'Blåbær 日.txt', 'text/plain'],
  ['filename="a %22b%22.txt"', '', 'a "b".txt', 'text/plain'],
  ['filename="a \\"b\\".txt"', '', 'a "b".txt', 'text/plain'],
  ['filename="100%25.txt"', '', '100%25.txt', 'text/plain'],
  ['filename="C:\\photos\\a.txt"', '', 'a.txt', 'text/plain'],
  ['filename="../../etc/passwd.txt"', '', 'passwd.txt', 'text/plain'],
  ['filename="=?utf-8?B?QmzDpS50eHQ=?="', '', 'Blå.txt', 'text/plain'],
  ['filename="=?iso-8859-1?Q?caf=E9_1.txt?="', '', 'café 1.txt', 'text/plain'],
  ["filename=b.txt; filename*=UTF-8''Bl%C3%A5.txt", '', 'Blå.txt', 'text/plain'],
  ["filename*=utf-8'da'Bl%C3%A5.txt; filename=b.txt", '', 'Blå.txt', 'text/plain'],
  ["filename*=utf-8''%ff; filename=b.txt", '', 'b.txt', 'text/plain'],
  ['\r\n\tfilename="folded.txt"', '', 'folded.txt', 'text/plain'],
  ['filename="x"', 'Content-Type: TEXT/Plain; charset=utf-8', 'x', 'text/plain'],
  ['filename="a.csv"', 'content-type: application/octet-stream', 'a.csv', 'text/csv'],
];

/** Bytes of a name in ISO 8859-1, as older software writes it. */
const LATIN_1 = Buffer.from('filename="café.txt"', 'latin1');

function toBody(before: string, name: string, parameters: Buffer, more: string): Buffer {
  return Buffer.concat([
    Buffer.from(`${before}--b\r\nContent-Disposition: form-data; name="${name}"; `),
    parameters,
    Buffer.from(`${more && `\r\n${more}`}\r\n\r\nsome text\r\n--b--\r\n`),
  ]);
}

function field(name: string, value: string): string {
  return `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

const OPERATION =
  field('operations', JSON.stringify({ query: UploadFileDocument, variables: { input: {} } })) +
  field('map', '{"0":["variables.input.file"]}');

/** Sends the same part through GraphQL and through the importer dialect; returns the text of both responses. */
async function upload(app: TestApp, parameters: Buffer, more = ''): Promise<string[]> {
  const headers = { 'content-type': 'multipart/form-data; boundary=b', 'x-graphql-yoga-csrf': '1' };
  const send = async (path: string, body: Buffer) => {
    const sent = new Uint8Array(body);
    const response = await app.fetch(path, { method: 'POST', headers, body: sent, asAdmin: true });
    return response.text();
  };
  return [
    await send('/graphql', toBody(OPERATION, '0', parameters, more)),
    await send(`/medias/files/${randomUUID()}`, toBody('', 'file', parameters, more)),
  ];
}

async function storedFiles(app: TestApp) {
  const files = app.services.db.selectFrom('file').select(['id', 'filename', 'mime_type']);
  return files.orderBy('id').execute();
}

/** Sends the same part twice, as `upload`; returns the files that have been stored. */
async function store(app: TestApp, parameters: Buffer, more = '') {
  const before = (await storedFiles(app)).length;
  await upload(app, parameters, more);
  return (await storedFiles(app)).slice(before).map(({ id, ...file }) => file);
}

describeEachBackend('GraphQL and the importer dialect read one part header alike', (backend) => {
  const app = shareApp(backend, { TRIVIUM_JOB_CONCURRENCY: '0' });

  test.each(HEADERS)('%j %j', async (parameters, more, filename, mimeType) => {
    const file = { filename, mime_type: mimeType };
    expect(await store(app(), Buffer.from(parameters), more)).toEqual([file, file]);
  });

  test('a name in ISO 8859-1', async () => {
    const file = { filename: 'café.txt', mime_type: 'text/plain' };
    expect(await store(app(), LATIN_1)).toEqual([file, file]);
  });

  test('the name that browsers give to a Blob, which only the contract of the importer keeps', async () => {
    const more = 'content-type: text/css';
    expect(await store(app(), Buffer.from('filename="blob"'), more)).toEqual([
      { filename: 'document.txt', mime_type: 'text/plain' },
      { filename: 'blob', mime_type: 'text/plain' },
    ]);
  });
});
