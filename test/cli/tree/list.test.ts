import { expect, test } from 'vitest';
import { type CliSetup, withCli } from '../../support/cli.ts';
import { makeFileRow, makeFolder, makeMediaRow } from '../../support/make.ts';
import { withTerminal } from '../../support/terminal.ts';

/** Makes `/Design` with the folder `Logos` and a file, and an unfiled media item. */
async function makeTree({ app: { services } }: CliSetup): Promise<void> {
  const id = await makeFolder(services.db, { name: 'Design' });
  const place = { parent_id: id, level: 2, path: `/1/${id}/` };
  await makeFolder(services.db, { name: 'Logos', ...place });
  const media = await makeMediaRow(services.db, { name: 'a\tb.png', sort_order: 1, ...place });
  await makeFileRow(services.db, media, { size_bytes: 1536 });
  await makeMediaRow(services.db, { name: 'unfiled' });
}

test('ls prints columns, or JSON, of a folder, the top level, a media item and unfiled media', () =>
  withCli(async (setup) => {
    await makeTree(setup);
    const { trivium } = setup;
    const columns = async (...args: string[]) => {
      const { code, stdout, stderr } = await trivium(['ls', ...args]);
      expect([code, stderr]).toEqual([0, '']);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
      return lines.map(([, type, size, , name]) => [type, size, name]);
    };
    expect(await columns()).toEqual([['FOLDER', '', 'Design/']]);
    const design = [
      ['FOLDER', '', 'Logos/'],
      ['IMAGE', '1536', 'a?b.png'],
    ];
    expect(await columns('/Design/')).toEqual(design);
    expect(await columns('2')).toEqual(design);
    expect(await columns('/Design/a b.png')).toEqual([design[1]]);
    expect(await columns('--unfiled')).toEqual([['IMAGE', '', 'unfiled']]);
    const json = (await trivium(['ls', '/Design', '--json'])).stdout.trimEnd().split('\n');
    expect(json.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'FOLDER', databaseId: 3, name: 'Logos', sizeBytes: null, md5: null },
      { type: 'IMAGE', databaseId: 4, name: 'a\tb.png', sizeBytes: 1536, mimeType: 'image/png' },
    ]);
    const missing = await trivium(['ls', '/Design/none']);
    expect(missing).toEqual({
      code: 1,
      stdout: '',
      stderr: 'trivium: /Design/none: there is no such item, or you may not see it\n',
    });
    expect((await trivium(['ls', '/', '--unfiled'])).code).toBe(2);
  }));

test('ls prints a table on a terminal, of a server at TRIVIUM_PORT', () =>
  withCli(async (setup) => {
    await makeTree(setup);
    const { app } = setup;
    const TRIVIUM_PORT = new URL(app.url).port;
    const env = { TRIVIUM_PORT, TRIVIUM_API_KEY: app.adminKey };
    await withTerminal(['src/main.js', 'ls', '/Design'], env, async (terminal) => {
      expect(await terminal.exit).toBe(0);
      const [folder, media] = terminal.output.split('\r\n');
      expect(folder).toMatch(/^folder +\d{4}-\d\d-\d\d \d\d:\d\d {2}Logos\/$/);
      expect(media).toMatch(/^image +1\.5 KiB {2}\S+ \S+ {2}a\?b\.png$/);
    });
  }));

test('a pipe that is closed early ends ls as it ends other programs', () =>
  withCli(async (setup) => {
    const { app, trivium } = setup;
    for (let at = 0; at < 300; at++) await makeFolder(app.services.db, { name: `F${at}` });
    const run = await trivium(['ls'], {}, async (child) => {
      child.stdout?.destroy();
    });
    expect([run.code, run.stderr]).toEqual([141, '']);
  }));
