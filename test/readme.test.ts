import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { runTrivium, withServerProcess } from './support/process.ts';
import { type Shell, withShell } from './support/shell.ts';

/** A fenced block of a Markdown file. */
interface CodeBlock {
  /** The word after the opening fence: `sh`, `js`. */
  language: string;
  /** Without the fences. */
  text: string;
}

/** Blocks that no test runs, and why. */
const NOT_RUN = {
  'npm ci\nnpm start\n': 'the test run has installed the packages and starts a server itself',
  'npm run build\nnpm pack ./dist/client\n': 'test/client/package.test.ts runs it',
};

/** Printed after each block, to tell the outputs of blocks apart. */
const END = '--- end of block ---';

/** A GraphQL error, the code of one in a result, and the errors of the three dialects. */
const ERROR = /"errors":|"error":[{"]|"code":"/;

async function readCodeBlocks(path: string): Promise<CodeBlock[]> {
  const document = await readFile(path, 'utf8');
  const found = document.matchAll(/^```(\w*)\n(.*?)^```$/gms);
  return Array.from(found, ([, language = '', text = '']) => ({ language, text }));
}

interface Reader extends Shell {
  /** Text of a document, with the address of this server in place of the default. */
  adapt: (text: string) => string;
}

/** Lends the setup of a reader of the documents: a checkout, and a server that keeps its data there. */
function withReader<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
  return withShell((shell) =>
    withServerProcess({ TRIVIUM_DATA_DIR: join(shell.directory, 'data') }, ({ url }) => {
      const address = new URL(url).host;
      const adapt = (text: string) => text.replaceAll('127.0.0.1:4000', address);
      return work({ ...shell, adapt });
    }),
  );
}

const readme = await readCodeBlocks('README.md');
const isStream = ({ text }: CodeBlock) => text.includes('subscription {');
const isRun = ({ text }: CodeBlock) => !(text in NOT_RUN);
const shellBlocks = (blocks: readonly CodeBlock[]) =>
  blocks.filter(({ language }) => language === 'sh').filter(isRun);

/** Runs blocks in one shell, as a reader pastes them; returns what each printed. */
async function paste({ run, adapt }: Reader, blocks: readonly CodeBlock[]): Promise<string[]> {
  const url = adapt('http://127.0.0.1:4000');
  const script = blocks.map(({ text }) => `${adapt(text)}\necho '${END}'\n`).join('');
  // The command line has the default address in its code, and not in the document.
  const { code, output, errors } = await run(`export TRIVIUM_URL=${url}\n${script}`);
  const outputs = output.split(`${END}\n`).slice(0, -1);
  const failed = `fails: ${blocks[outputs.length]?.text}\n${errors}`;
  expect(code, failed).toBe(0);
  return outputs;
}

describe('every command works when it is pasted', () => {
  test.each(['README.md', 'docs/dialects.md'])('%s', (path) =>
    withReader(async (reader) => {
      const blocks = shellBlocks(await readCodeBlocks(path));
      const commands = blocks.filter((block) => !isStream(block));
      expect(commands.length).toBeGreaterThan(2);
      const outputs = await paste(reader, commands);
      for (const [at, output] of outputs.entries()) {
        expect(output, commands[at]?.text).not.toMatch(ERROR);
      }
      for (const { text } of blocks.filter(isStream)) {
        // The comment with which a stream opens, or its first event.
        expect(await reader.runUntilOutput(reader.adapt(text))).toMatch(/^(:|event: next)/);
      }
      if (path === 'README.md') await checkRenditions(reader);
    }),
  );

  test('a block that is not run is in the README', () => {
    expect(readme.map(({ text }) => text)).toEqual(expect.arrayContaining(Object.keys(NOT_RUN)));
  });
});

async function checkRenditions({ directory }: Reader): Promise<void> {
  const made = ['wide.webp', 'square.png', 'boxed.jpg'].map(async (name) => {
    const { format, width, height } = await sharp(await readFile(join(directory, name))).metadata();
    return { format, width, height };
  });
  expect(await Promise.all(made)).toEqual([
    { format: 'webp', width: 640, height: 512 },
    { format: 'png', width: 200, height: 200 },
    { format: 'jpeg', width: 300, height: 300 },
  ]);
}

describe('examples in JavaScript', () => {
  const scripts = readme.filter(({ language }) => language === 'js');
  const [withFetch, ...withClients] = scripts;

  test('the upload with fetch works, and the headers of all examples are accepted', () =>
    withReader(async (reader) => {
      expect(scripts).toHaveLength(3);
      // The clients send the request of the first example, with the headers that they are given.
      const own = headersOf(withFetch!);
      const send = (headers: string) => runScript(reader, withFetch!.text.replace(own, headers));
      const [bare, ...sent] = await Promise.all(['{}', ...scripts.map(headersOf)].map(send));
      expect(bare).not.toMatch(/url: /);
      for (const output of sent) expect(output).toMatch(/url: 'http.*hello\.txt'/);
    }));

  test('the other examples can be parsed', () =>
    withShell(async ({ directory, run }) => {
      await Promise.all(
        withClients.map(({ text }, at) => writeFile(join(directory, `${at}.mjs`), text)),
      );
      const { code, errors } = await run('node --check 0.mjs && node --check 1.mjs');
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
    }));
});

/** The object literal of the request's headers. */
function headersOf({ text }: CodeBlock): string {
  const [, headers] = /headers(?: =|:) (\{ '[a-z-]+': '\w+' \})/.exec(text) ?? [];
  if (headers === undefined) throw new Error(`No headers in:\n${text}`);
  return headers;
}

async function runScript({ directory, run, adapt }: Reader, example: string): Promise<string> {
  const file = `const file = new File(['Hello'], 'hello.txt', { type: 'text/plain' });\n`;
  const name = `${randomUUID()}.mjs`;
  await writeFile(join(directory, name), file + adapt(example));
  const { output } = await run(`node ${name}`);
  return output;
}

const rowsOf = async (path: string) =>
  (await readFile(path, 'utf8')).split('\n').filter((line) => line.startsWith('| `TRIVIUM_'));

/** The names in the first cells of rows, in their order. */
const namesOf = (rows: readonly string[]) =>
  rows.flatMap((row) => row.split('|')[1]?.match(/TRIVIUM_[A-Z_]+/g) ?? []);

describe('the tables of settings', () => {
  const allRows = rowsOf('docs/operations.md');

  test('that of docs/operations.md names each setting of `trivium serve` once, and no other', async () => {
    const { output } = await runTrivium(['serve', '--help']);
    const settings = new Set(output.match(/TRIVIUM_[A-Z_]+/g));
    expect(namesOf(await allRows).toSorted()).toEqual([...settings].toSorted());
  });

  test('each row of the README is a row of docs/operations.md', async () => {
    const rows = await rowsOf('README.md');
    expect(rows.length).toBeGreaterThan(5);
    expect(await allRows).toEqual(expect.arrayContaining(rows));
  });
});
