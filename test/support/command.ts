import { vi } from 'vitest';
import { runCommand } from '../../src/start/command.ts';
import type { CommandResult } from './process.ts';
import { storageVariablesOf } from './storage.ts';

/** Ends a command as `process.exit` would. */
class Exit extends Error {}

/**
 * Runs `trivium <args>` in this process, with only these environment variables: as `runTrivium` does, but within
 * milliseconds. For commands that read no input.
 */
export async function runInProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const lines: Record<'log' | 'error', string[]> = { log: [], error: [] };
  const spies = (['log', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation((line) => void lines[name].push(`${line}\n`)),
  );
  let code = 0;
  try {
    await runCommand({
      argv: ['node', 'trivium', ...args],
      env: { ...storageVariablesOf(env), ...env },
      exit: (given) => {
        code = given;
        throw new Exit();
      },
    });
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return { code, output: lines.log.join(''), errors: lines.error.join('') };
}
