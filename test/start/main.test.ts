import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import {
  runTrivium,
  type ServerProcess,
  withDataDir,
  withServerProcess,
} from '../support/process.ts';

const BODY = JSON.stringify({ query: '{ viewer { kind } }' });

describe('start', () => {
  it('port 0 selects a free port, and the log states the URL', () =>
    withServer(async ({ url, log }) => {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
      expect(log).toContainEqual(expect.objectContaining({ url, msg: `listening on ${url}` }));
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    }));

  it('an invalid configuration is reported with all its problems and without a stack trace', async () => {
    const wrong = { TRIVIUM_PORT: 'x', TRIVIUM_AUTH: 'y', TRIVIUM_LOG_LEVEL: 'z' };
    const { code, output, errors } = await runTrivium(['serve', '--upload-ttl-hours', '0'], wrong);
    expect([code, output]).toEqual([1, '']);
    expect(errors.trimEnd().split('\n')).toEqual([
      'trivium: The configuration is wrong:',
      expect.stringContaining('TRIVIUM_PORT: expected'),
      expect.stringContaining('TRIVIUM_AUTH: expected'),
      expect.stringContaining('TRIVIUM_UPLOAD_TTL_HOURS: expected'),
      expect.stringContaining('TRIVIUM_LOG_LEVEL: expected'),
    ]);
  });

  it('a port in use is reported in one line', () =>
    withDataDir(async (dataDir) => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const port = String((other.address() as AddressInfo).port);
      const variables = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_LOG_LEVEL: 'silent' };
      const ended = await runTrivium(['serve', '--port', port], variables);
      other.close();
      expect(ended).toMatchObject({ code: 1, output: '' });
      expect(ended.errors).toMatch(/^trivium: .*EADDRINUSE.*\n$/);
    }));

  it('a database of a newer version is refused, and its migration is named', () =>
    withDataDir(async (dataDir) => {
      const variables = { TRIVIUM_DATA_DIR: dataDir };
      const key = await runTrivium(['key', 'create', 'x'], variables);
      expect(key.code).toBe(0);
      const { default: SqliteDatabase } = await import('better-sqlite3');
      const database = new SqliteDatabase(join(dataDir, 'trivium.db'));
      database.exec("insert into migration values ('9999-next', 'then')");
      database.close();
      const ended = await runTrivium(['serve', '--port', '0'], variables);
      expect(ended.code).toBe(1);
      expect(ended.errors).toMatch(/^trivium: .*newer.*9999-next.*\n$/);
    }));

  it('unknown variables are logged', () =>
    withServer(
      async ({ log }) => {
        expect(log).toContainEqual(expect.objectContaining({ variables: ['TRIVIUM_PROT'] }));
      },
      { TRIVIUM_PROT: '80' },
    ));

  it('an open server prints a link that signs in, and never logs it again', () =>
    withServer(
      async (server) => {
        await server.logged('to sign in as admin');
        const link = String(server.log.find(({ signInUrl }) => signInUrl !== undefined)?.signInUrl);
        expect(link).toMatch(`${server.url}/sign-in?secret=`);
        const used = await fetch(link, { redirect: 'manual' });
        expect([used.status, used.headers.get('location')]).toEqual([303, '/graphql']);
        expect((await fetch(link)).status).toBe(410);
        await vi.waitFor(() =>
          expect(server.log.filter(({ path }) => path === '/sign-in')).toHaveLength(2),
        );
        const secret = new URL(link).searchParams.get('secret')!;
        const lines = server.log.filter((line) => JSON.stringify(line).includes(secret));
        expect(lines).toHaveLength(1);
      },
      { TRIVIUM_LOG_LEVEL: 'trace' },
    ));

  it('an open server on an address that others reach warns loudly, and of links without a base', () =>
    withServer(
      async ({ log }) => {
        const warnings = log.filter(({ level }) => level === 40).map(({ msg }) => msg);
        expect(warnings).toEqual([
          expect.stringContaining('INSECURE: TRIVIUM_AUTH=open'),
          expect.stringContaining('TRIVIUM_PUBLIC_URL is not set'),
        ]);
      },
      { TRIVIUM_HOST: '0.0.0.0', TRIVIUM_AUTH: 'open' },
    ));

  it('neither a loopback address nor one with a public URL is a reason to warn', async () => {
    const warnings = ({ log }: ServerProcess) => log.filter(({ level }) => level === 40);
    await withServer(async (server) => expect(warnings(server)).toEqual([]));
    await withServer(async (server) => expect(warnings(server)).toEqual([]), {
      TRIVIUM_HOST: '0.0.0.0',
      TRIVIUM_PUBLIC_URL: 'https://media.example.org',
    });
  });

  it.each([
    ['TRIVIUM_JWT_SECRET', 'a'],
    ['TRIVIUM_ADMIN_KEY', 'a'.repeat(16)],
  ])('a weak %s stops the start, and the message says what is expected', async (name, value) => {
    const { code, errors } = await runTrivium(['serve', '--port', '0'], { [name]: value });
    expect(code).toBe(1);
    expect(errors).toMatch(`${name}: expected at least 16 characters, 8 of them different`);
  });

  it('flags take precedence over variables', () =>
    withDataDir(async (dataDir) => {
      const flags = ['serve', '--auth', 'sometimes', '--data-dir', dataDir];
      const { errors } = await runTrivium(flags, { TRIVIUM_AUTH: 'open' });
      expect(errors).toContain('TRIVIUM_AUTH: expected open or required');
    }));

  it('the help lists the settings', async () => {
    const { code, output } = await runTrivium(['serve', '--help'], {});
    expect(code).toBe(0);
    for (const flag of ['--data-dir', '--database-url', '--jwt-secret'])
      expect(output).toContain(flag);
  });
});

describe('keys', () => {
  it('only the first start creates an admin key, readable by its owner only, and logs its path', () =>
    withDataDir(async (dataDir) => {
      const path = join(dataDir, 'admin.key');
      const keys: string[] = [];
      const told: unknown[] = [];
      for (let start = 0; start < 2; start++) {
        await withServerProcess({ TRIVIUM_DATA_DIR: dataDir }, async ({ url, log }) => {
          keys.push((await readFile(path, 'utf8')).trim());
          told.push(...log.filter((line) => line.path === path));
          expect(await viewerOf(url, keys[0]!)).toEqual({ kind: 'KEY', role: 'ADMIN' });
          expect(JSON.stringify(log)).not.toContain(keys[0]);
        });
      }
      expect(keys[1]).toBe(keys[0]);
      expect(told).toMatchObject([{ msg: 'created an admin key' }]);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }));

  it('TRIVIUM_ADMIN_KEY is used, and no admin.key is written', () =>
    withDataDir(async (dataDir) => {
      const key = 'the-key-that-was-given';
      const variables = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_ADMIN_KEY: key };
      await withServerProcess(variables, async ({ url }) => {
        expect(await viewerOf(url, key)).toEqual({ kind: 'KEY', role: 'ADMIN' });
        await expect(stat(join(dataDir, 'admin.key'))).rejects.toThrow('ENOENT');
      });
    }));

  it.each(['', 'secret', 'a'.repeat(40)])('a weak key in admin.key is refused: "%s"', (key) =>
    withDataDir(async (dataDir) => {
      await writeFile(join(dataDir, 'admin.key'), `${key}\n`);
      const variables = { TRIVIUM_DATA_DIR: dataDir };
      const { code, errors } = await runTrivium(['serve', '--port', '0'], variables);
      expect(code).toBe(1);
      expect(errors).toContain('admin.key: expected at least 16 characters');
    }),
  );

  it('`key create` prints only the key, and the server accepts it', () =>
    withServer(async ({ url }, dataDir) => {
      const variables = { TRIVIUM_DATA_DIR: dataDir };
      const ended = await runTrivium(['key', 'create', 'backup', '--role', 'reader'], variables);
      expect(ended).toMatchObject({ code: 0, errors: '' });
      expect(ended.output).toMatch(/^tvm_[\w-]{43}\n$/);
      expect(await viewerOf(url, ended.output.trim())).toEqual({ kind: 'KEY', role: 'READER' });
    }));

  it.each([
    ['--role', 'owner'],
    ['--expires-days', 'soon'],
  ])('`key create` %s %s is rejected without a stack trace', (flag, value) =>
    withDataDir(async (dataDir) => {
      const variables = { TRIVIUM_DATA_DIR: dataDir };
      const ended = await runTrivium(['key', 'create', 'x', flag, value], variables);
      expect(ended).toMatchObject({ code: 2, output: '' });
      expect(ended.errors).not.toContain('    at ');
    }),
  );

  it('credentials and query strings are never logged', () =>
    withServer(
      async (server) => {
        const secrets = ['tvm_secret-1', 'tvm_secret-2', 'tvm_secret-3', 'secret-4'];
        const [bearer, key, cookie, query] = secrets;
        await fetch(`${server.url}/x?token=${query}`, {
          headers: { authorization: `Bearer ${bearer}` },
        });
        await fetch(`${server.url}/graphql?query=${query}`, { headers: { 'api-key': key! } });
        await fetch(`${server.url}/%zz?${query}`, { headers: { cookie: `auth-token=${cookie}` } });
        await server.logged('request');
        const lines = JSON.stringify(server.log);
        for (const secret of secrets) expect(lines).not.toContain(secret);
      },
      { TRIVIUM_LOG_LEVEL: 'trace' },
    ));
});

describe('stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s: a request in progress is answered first', (signal) =>
    withServer(async (server) => {
      const { socket, answer } = await beginRequest(server);
      server.child.kill(signal);
      await server.logged('stopping');
      socket.write(BODY.slice(10));
      expect(await answer).toMatch(/^HTTP\/1.1 200 [\s\S]*"kind":"ANONYMOUS"/);
      expect(await server.exit).toBe(0);
      await server.logged('stopped');
    }),
  );

  it('new connections are refused while the server stops', () =>
    withServer(async (server) => {
      const { socket, answer } = await beginRequest(server);
      server.child.kill('SIGTERM');
      await server.logged('stopping');
      // The server logs this a moment before it closes the socket.
      await vi.waitFor(() => expect(fetch(`${server.url}/healthz`)).rejects.toThrow());
      socket.write(BODY.slice(10));
      await answer;
    }));

  it('an idle keep-alive connection does not delay the stop', () =>
    withServer(async (server) => {
      const { port, hostname } = new URL(server.url);
      const idle = connect(Number(port), hostname);
      idle.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await new Promise((resolve) => idle.once('data', resolve));
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
      idle.destroy();
    }));

  it('a second signal stops the server at once', () =>
    withServer(async (server) => {
      const { socket, answer } = await beginRequest(server);
      server.child.kill('SIGTERM');
      await server.logged('stopping');
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(1);
      socket.destroy();
      await answer.catch(() => undefined);
    }));
});

function withServer(
  work: (server: ServerProcess, dataDir: string) => Promise<void>,
  variables: Record<string, string> = {},
): Promise<void> {
  return withDataDir((dataDir) =>
    withServerProcess({ TRIVIUM_DATA_DIR: dataDir, ...variables }, (server) =>
      work(server, dataDir),
    ),
  );
}

async function viewerOf(url: string, key: string): Promise<unknown> {
  const query = encodeURIComponent('{ viewer { kind role } }');
  const headers = { authorization: `Bearer ${key}`, accept: 'application/json' };
  const answer = await fetch(`${url}/graphql?query=${query}`, { headers });
  return ((await answer.json()) as { data: { viewer: unknown } }).data.viewer;
}

/** Sends a request without the end of its body, so that it stays in progress. */
async function beginRequest({
  url,
}: ServerProcess): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  const headers = [
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
  ];
  // Once the server has sent 100 Continue, it has the headers.
  const head = ['POST /graphql HTTP/1.1', ...headers, 'Expect: 100-continue', '', ''];
  socket.write(head.join('\r\n'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.write(BODY.slice(0, 10));
  return { socket, answer: text(socket) };
}
