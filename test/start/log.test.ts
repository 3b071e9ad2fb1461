import { spawnSync } from 'node:child_process';
import { expect, it, vi } from 'vitest';
import { createLogTo } from '../../src/start/log.ts';
import { toReadableLine } from '../../src/start/log-line.ts';
import { withDataDir } from '../support/process.ts';
import { withTerminal } from '../support/terminal.ts';

/** Without the colors of a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with one.
const plain = (text: string) => text.replace(/\x1b\[[\d;]*m/g, '');

it('on a terminal, the log is for people: where GraphiQL and the admin key are, and a short line per request', () =>
  withDataDir(async (dataDir) => {
    const env = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_PORT: '0' };
    await withTerminal(['src/main.js', 'serve'], env, async (terminal) => {
      await terminal.shows('to sign in as admin');
      const output = () => plain(terminal.output);
      const [, url] = /listening on (http:\S+) auth=open\r\n/.exec(output()) ?? [];
      expect(output()).toContain(`GraphiQL: ${url}/graphql\r\n`);
      expect(output()).toContain(`the admin key is in ${dataDir}/admin.key\r\n`);
      expect(output().match(/listening/gi)).toHaveLength(1);
      expect(output()).not.toContain('{"level"');
      await fetch(`${url}/nothing?secret=1`);
      await vi.waitFor(() =>
        expect(output()).toMatch(/^\d\d:\d\d:\d\d {2}GET \/nothing 404 [\d.]+ ms\r$/m),
      );
    });
  }));

it('a line shows its level, the fields that the message lacks, and the stack; nothing in it reaches the terminal', () => {
  const line = JSON.stringify({
    level: 40,
    time: 0,
    pid: 1,
    hostname: 'x',
    url: 'http://x',
    name: 'a\u001b[2J',
    msg: 'at http://x',
    err: { stack: 'Error: no\n    at y' },
  });
  const [first, ...rest] = plain(toReadableLine(line)).split('\n');
  expect(first).toMatch(/^\d\d:\d\d:\d\d {2}WARN at http:\/\/x name=a\\u001b\[2J$/);
  expect(rest).toEqual(['  Error: no', '      at y', '']);
  expect(toReadableLine('no JSON')).toBe('no JSON');
});

it('an error is logged with the messages of its causes, each once', () => {
  const lines: string[] = [];
  const log = createLogTo({ write: (line) => void lines.push(line) }, 'info');
  const bug = new Error('why', { cause: new Error('the bytes') });
  log.warn({ err: new Error('why', { cause: new TypeError('why', { cause: bug }) }) }, 'failed');
  log.warn({ err: 'no error' }, 'failed');
  const [first, second] = lines.map((line) => JSON.parse(line).err);
  expect(first).toMatchObject({ type: 'Error', message: 'why: the bytes' });
  expect(first.stack).toContain('TypeError');
  expect(second).toBe('no error');
});

const runOld = (...args: string[]) => spawnSync('/usr/bin/node', args, { encoding: 'utf8' });
const isOld = /^v(1\d|2[01])\./.test(runOld('-v').stdout ?? '');

it.skipIf(!isOld)('an old Node says which one is needed (skipped without one in /usr/bin)', () => {
  const { status, stdout, stderr } = runOld('src/main.js', 'serve');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /^trivium: this is Node \S+, and Trivium needs Node 22\.18 or later\..*\n$/,
  );
});
