import { expect, test } from 'vitest';
import { type CliSetup, withCli } from '../../support/cli.ts';
import { graphql } from '../../support/graphql.ts';
import { makeFolder, makeMediaRow } from '../../support/make.ts';
import { withTerminal } from '../../support/terminal.ts';

/** Makes `/Design` with two media of one name and a third one. */
async function makeTree({ app: { services } }: CliSetup): Promise<void> {
  const id = await makeFolder(services.db, { name: 'Design' });
  const place = { parent_id: id, level: 2, path: `/1/${id}/` };
  for (const name of ['twin', 'twin', 'one']) await makeMediaRow(services.db, { name, ...place });
}

async function trashOf({ app }: CliSetup): Promise<string[]> {
  const authorization = `Bearer ${app.adminKey}`;
  const { data } = await graphql(app, '{ trash { nodes { name } } }', {}, { authorization });
  return data.trash.nodes.map(({ name }: { name: string }) => name).sort();
}

test('rm moves items into the trash, names those that it cannot remove, and goes on', () =>
  withCli(async (setup) => {
    await makeTree(setup);
    const { trivium } = setup;
    const run = await trivium([
      'rm',
      '/Design/twin',
      '/Design/none',
      '/Design',
      '/',
      '/Design/one',
    ]);
    expect([run.code, run.stdout.split('\t')[1]]).toEqual([1, 'one\n']);
    expect(run.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^trivium: \/Design\/twin: several items have this path: name one by its id \(\S+, \S+\)$/,
      ),
      'trivium: /Design/none: there is no such item, or you may not see it',
      'trivium: /Design: is a folder; add --recursive to remove it',
      'trivium: /: the top level is no folder',
      'trivium: 4 of 5 items failed',
    ]);
    expect(await trashOf(setup)).toEqual(['one']);
    const [, id] = /\((\S+),/.exec(run.stderr) ?? [];
    const byId = await trivium(['rm', id!, '--json']);
    expect(JSON.parse(byId.stdout)).toMatchObject({ id, name: 'twin' });
    const folder = await trivium(['rm', '-r', '/Design']);
    expect([folder.code, folder.stderr]).toEqual([0, '']);
    expect(await trashOf(setup)).toEqual(['Design', 'one', 'twin']);
  }));

test('rm without the right to do it fails', () =>
  withCli(async (setup) => {
    await makeTree(setup);
    const run = await setup.trivium(['rm', '/Design/one'], { TRIVIUM_API_KEY: '' });
    expect([run.code, run.stdout]).toEqual([1, '']);
    expect(await trashOf(setup)).toEqual([]);
  }));

test('on a terminal, rm asks; any answer but yes, and Ctrl-C, remove nothing', () =>
  withCli(async (setup) => {
    await makeTree(setup);
    const { app } = setup;
    const env = { TRIVIUM_URL: app.url, TRIVIUM_API_KEY: app.adminKey };
    const answer = (text: string, ...flags: string[]) =>
      withTerminal(['src/main.js', 'rm', '/Design/one', ...flags], env, async (terminal) => {
        if (text !== '') {
          await terminal.shows('Move one into the trash? [y/N]');
          terminal.type(text);
        }
        return terminal.exit;
      });
    expect(await answer('\r')).toBe(1);
    expect(await answer('\x03')).toBe(130);
    expect(await trashOf(setup)).toEqual([]);
    expect(await answer('y\r')).toBe(0);
    expect(await trashOf(setup)).toEqual(['one']);
  }));
