import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from './failure.ts';

/** A password, asked for twice at a terminal, without showing it; else the first line that is piped in. */
export async function readPassword(input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const isAsked = input.isTTY === true;
  // Readline echoes what is typed to its output: to nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface(isAsked ? { input, output, terminal: true } : { input });
  // One reader for both lines: what is typed ahead, or pasted, would else go with the first.
  const lines = terminal[Symbol.asyncIterator]();
  const ask = async (question: string) => {
    if (isAsked) process.stderr.write(question);
    const line = await lines.next();
    if (isAsked) process.stderr.write('\n');
    if (line.done) throw new CommandError('no password: type it at a terminal, or pipe it in');
    return line.value;
  };
  try {
    const password = await ask('Password: ');
    if (!isAsked || (await ask('Again: ')) === password) return password;
    throw new CommandError('the passwords are not the same');
  } finally {
    terminal.close();
  }
}
