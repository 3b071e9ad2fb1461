import { constants } from 'node:os';
import type { ClientSetting } from './connection.ts';
import { CommandError, EXIT_CODES } from './failure.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs work and aborts it on the first signal, with a CommandError that has `message()`; a second signal ends the process
 * as usual.
 */
export async function untilInterrupted<T>(
  work: (signal: AbortSignal) => Promise<T>,
  message: () => string,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (name: (typeof SIGNALS)[number]) => {
    release();
    const exitCode = EXIT_CODES.signal + constants.signals[name];
    controller.abort(new CommandError(message(), { exitCode }));
  };
  const release = () => {
    for (const name of SIGNALS) process.off(name, interrupt);
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  return await work(controller.signal).finally(release);
}

/** Returns the message of an interrupted command that goes on when it is run again. */
export function howToGoOn({ argv, env }: Pick<ClientSetting, 'argv' | 'env'>): string {
  const program = env.npm_command === 'exec' ? 'npx trivium' : 'trivium';
  const words = withoutKey(argv.slice(2)).map(quote);
  return `interrupted. To go on, run the same command again:\n  ${[program, ...words].join(' ')}`;
}

/** The key was typed at a prompt, and the message may end up in a log. */
function withoutKey(words: readonly string[]): string[] {
  return words.map((word, at) => {
    if (words[at - 1] === '--key') return '…';
    return word.startsWith('--key=') ? '--key=…' : word;
  });
}

/** Quotes a word for a POSIX shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./…-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
