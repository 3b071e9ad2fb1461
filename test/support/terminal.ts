import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { vi } from 'vitest';

/** A program that runs another one on a pseudo-terminal, and passes its input and output on. */
const RELAY = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
watched = [fd, 0]
while True:
    for ready in select.select(watched, [], [])[0]:
        try:
            data = os.read(ready, 65536)
        except OSError:
            data = b''
        if ready == fd:
            if not data:
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            os.write(1, data)
        elif data:
            os.write(fd, data)
        else:
            watched.remove(0)
`;

/** A program on a terminal. */
export interface Terminal {
  /** Everything that it has written so far. */
  readonly output: string;
  /** Types a text. `\x03` is Ctrl-C. */
  type(text: string): void;
  /** Resolves when the output has this text. */
  shows(text: string): Promise<void>;
  /** Resolves with the exit code. */
  exit: Promise<number | null>;
}

/** Runs `work` with `node <args>` on a terminal, then kills it. Needs Python, which has pseudo-terminals. */
export async function withTerminal<T>(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  work: (terminal: Terminal) => Promise<T>,
): Promise<T> {
  const PATH = process.env.PATH ?? '';
  const child = spawn('python3', ['-c', RELAY, process.execPath, ...args], {
    env: { PATH, TERM: 'xterm', ...env },
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.pipe(process.stderr);
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  try {
    return await work({
      get output() {
        return output;
      },
      type: (text) => void child.stdin.write(text),
      shows: (text) =>
        vi.waitFor(
          () => {
            if (!output.includes(text)) throw new Error(`"${text}" is not shown:\n${output}`);
          },
          { timeout: 60_000, interval: 20 },
        ),
      exit,
    });
  } finally {
    // The terminal goes, and so does the program on it.
    child.kill('SIGKILL');
    await exit;
  }
}
