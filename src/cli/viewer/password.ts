import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from '../failure.ts';

/** Reads a password: typed twice at a terminal, without echo, or the first line from a pipe. */
export async function readPassword(input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const isAsked = input.isTTY === true;
  // Readline echoes the input to its output, so the output discards it.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface(isAsked ? { input, output, terminal: true } : { input });
  // One reader for both lines: a reader per line would lose text that is pasted or typed ahead.
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
    throw new CommandError('the two passwords differ');
  } finally {
    terminal.close();
  }
}
