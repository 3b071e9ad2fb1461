import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { runInProcess } from '../support/command.ts';

const hasShell = (name: string) => spawnSync(name, ['-c', ':']).status === 0;

/** Runs a script in a shell after the completion script. */
async function complete(shell: string, script: string): Promise<string[]> {
  const { output } = await runInProcess(['completion', shell]);
  return execFileSync(shell, ['-c', `${output}\n${script}`], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

test('bash completes commands, commands below them, and options', async () => {
  const ask = (words: string, at: number) =>
    `COMP_WORDS=(${words}); COMP_CWORD=${at}; _trivium; echo "\${COMPREPLY[@]}"`;
  const script = [ask('trivium up', 1), ask('trivium key re', 2), ask('trivium rm --rec', 2)];
  expect(await complete('bash', script.join('\n'))).toEqual(['upload', 'revoke', '--recursive']);
});

test.skipIf(!hasShell('zsh'))('zsh completes them (skipped without zsh)', async () => {
  const stubs =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: zsh, too, writes parameters this way.
    'function _describe { printf "%s " $1 ${(P)2%%:*}; echo; }; function _files { echo files; }';
  const ask = (words: string, at: number) => `words=(${words}); CURRENT=${at}; _trivium`;
  const script = [stubs, ask('trivium key re', 3), ask('trivium upload x', 3)].join('\n');
  expect(await complete('zsh', script)).toEqual(['command create list revoke help ', 'files']);
});

test.skipIf(!hasShell('fish'))('fish completes them (skipped without fish)', async () => {
  const script = 'complete -C "trivium key re"; complete -C "trivium upload --type ed"';
  const lines = await complete('fish', script);
  expect(lines.map((line) => line.split('\t')[0])).toEqual(['revoke', 'editor-image']);
});

test('another shell is wrong usage', async () => {
  expect(await runInProcess(['completion', 'csh'])).toMatchObject({ code: 2, output: '' });
});
