import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError } from './failure.ts';

/** A password, asked for twice at a terminal, without showing it; else the first line that is piped in. */
export async function readPassword(input: NodeJS.ReadStream = process.stdin): Promise<string> {
  if (!input.isTTY) return readLine(input);
  const password = await ask(input, 'Password: ');
  if ((await ask(input, 'Again: ')) !== password) {
    throw new CommandError('the passwords are not the same');
  }
  return password;
}

async function readLine(input: NodeJS.ReadStream): Promise<string> {
  const lines = createInterface({ input });
  try {
    for await (const line of lines) return line;
    throw new CommandError('no password: type it at a terminal, or pipe it in');
  } finally {
    lines.close();
  }
}

async function ask(input: NodeJS.ReadStream, question: string): Promise<string> {
  process.stderr.write(question);
  // Readline echoes what is typed to its output: to nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input, output, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
