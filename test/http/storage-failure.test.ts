import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { UploadFileDocument } from '../support/document.ts';
import { withServerProcess } from '../support/process.ts';
import { sendChunk } from '../support/selfcommunity.ts';

const SQLITE = BACKENDS[0]!;

interface Place {
  url: string;
  adminKey: string;
}

/** A file that each dialect sends, and the code of the error in its envelope. */
type Door = [
  name: string,
  send: (place: Place) => Promise<Response>,
  codeOf: (body: never) => string,
];

const file = () => new File([randomBytes(300_000)], 'a.bin');

const DOORS: Door[] = [
  [
    'GraphQL',
    ({ url, adminKey }) => {
      const form = new FormData();
      const query = String(UploadFileDocument);
      form.set('operations', JSON.stringify({ query, variables: { input: { file: null } } }));
      form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
      form.set('0', file());
      const headers = { authorization: `Bearer ${adminKey}`, 'x-graphql-yoga-csrf': '1' };
      return fetch(`${url}/graphql`, { method: 'POST', body: form, headers });
    },
    (body: { errors: { extensions: { code: string } }[] }) => body.errors[0]!.extensions.code,
  ],
  [
    'Importer',
    async ({ url, adminKey }) =>
      fetch(`${url}/medias/files/a`, {
        method: 'POST',
        body: randomBytes(300_000),
        headers: { authorization: `Bearer ${adminKey}` },
      }),
    (body: { errors: { code: string }[] }) => body.errors[0]!.code.toUpperCase(),
  ],
  [
    'Heartcore',
    ({ url, adminKey }) => {
      const form = new FormData();
      form.set('content', JSON.stringify({ mediaTypeAlias: 'File', name: 'a' }));
      form.set('umbracoFile', file());
      const headers = { authorization: `Bearer ${adminKey}` };
      return fetch(`${url}/media`, { method: 'POST', body: form, headers });
    },
    (body: { error: { code: string } }) =>
      body.error.code.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase(),
  ],
];

const FULL = { status: 507, code: 'INSUFFICIENT_STORAGE', retryAfter: '600' };

describe('a failure of the disk is told in the envelope of each dialect', () => {
  it.each([
    ['ENOSPC', FULL],
    ['EDQUOT', FULL],
    ['EFBIG', FULL],
    ['EROFS', { status: 503, code: expect.stringMatching(/UNAVAILABLE$/), retryAfter: '60' }],
    ['EACCES', { status: 503, code: expect.stringMatching(/UNAVAILABLE$/), retryAfter: '60' }],
  ])('%s', (code, expected) =>
    withApp(SQLITE, async (app) => {
      const { staging } = app.services;
      const append = staging.append.bind(staging);
      staging.append = async () => {
        throw Object.assign(new Error(`${code}: write`), { code, syscall: 'write' });
      };
      for (const [name, send, codeOf] of DOORS) {
        const answer = await send(app);
        const retryAfter = answer.headers.get('retry-after');
        const answered = {
          status: answer.status,
          code: codeOf((await answer.json()) as never),
          retryAfter,
        };
        expect([name, answered]).toEqual([name, expected]);
      }
      const chunk = await sendChunk(app, Buffer.from('ab'), { startBytes: 0, totalBytes: 4 });
      expect(chunk.status).toBe(expected.status);
      // Afterwards all is well.
      staging.append = append;
      for (const [name, send] of DOORS) {
        const { status } = await send(app);
        expect([name, [200, 201].includes(status)]).toEqual([name, true]);
      }
    }),
  );

  it.each([
    ['SQLITE_FULL', 507],
    ['SQLITE_READONLY', 503],
    ['53100', 507],
  ])('of the database: %s', (code, status) =>
    withApp(SQLITE, async (app) => {
      const { staging } = app.services;
      staging.append = async () => {
        throw Object.assign(new Error('database or disk is full'), { code });
      };
      for (const [name, send] of DOORS)
        expect([name, (await send(app)).status]).toEqual([name, status]);
    }),
  );
});

describe('a disk that is really full', () => {
  const mount = mountSmall();
  it.skipIf(mount === null)(
    'is 507, loses nothing, and works again when there is room',
    async () => {
      const { directory, unmount } = mount!;
      const adminKey = 'the-key-of-the-tests-1';
      try {
        const variables = {
          TRIVIUM_DATA_DIR: join(directory, 'data'),
          TRIVIUM_JOB_CONCURRENCY: '0',
          TRIVIUM_QUOTA_FREE_BYTES: '0',
          TRIVIUM_ADMIN_KEY: adminKey,
        };
        await withServerProcess(variables, async ({ url }) => {
          const filler = fill(directory);
          // Enough for the log of the database to grow.
          const statuses = await Promise.all(
            Array.from({ length: 100 }, () => createFolder({ url, adminKey })),
          );

          expect(statuses.filter((status) => status !== 507 && status !== 200)).toEqual([]);
          expect(statuses).toContain(507);
          for (const [name, send, codeOf] of DOORS) {
            const answer = await send({ url, adminKey });
            expect([name, answer.status]).toEqual([name, 507]);
            expect(codeOf((await answer.json()) as never)).toBe('INSUFFICIENT_STORAGE');
          }
          rmSync(filler);
          expect((await DOORS[1]![1]({ url, adminKey })).status).toBe(200);
        });
      } finally {
        unmount();
      }
    },
  );
});

/** Mounts a file system of 8 MiB; null if this user may not. */
function mountSmall() {
  const parent = mkdtempSync(join(tmpdir(), 'trivium-full-'));
  const directory = join(parent, 'disk');
  mkdirSync(directory);
  try {
    const options = ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory];
    execFileSync('mount', options, { stdio: 'ignore' });
  } catch {
    rmSync(parent, { recursive: true });
    return null;
  }
  const unmount = () => {
    execFileSync('umount', [directory]);
    rmSync(parent, { recursive: true });
  };
  return { parent, directory, unmount };
}

/** Fills the file system, and returns the file. */
function fill(directory: string): string {
  const path = join(directory, 'filler');
  spawnSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=4096'], { stdio: 'ignore' });
  return path;
}

async function createFolder({ url, adminKey }: Place): Promise<number> {
  const query = 'mutation ($name: String!) { createFolder(input: { name: $name }) { __typename } }';
  const variables = { name: randomBytes(100).toString('hex') };
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` };
  const body = JSON.stringify({ query, variables });
  const answer = await fetch(`${url}/graphql`, { method: 'POST', body, headers });
  return answer.status;
}
