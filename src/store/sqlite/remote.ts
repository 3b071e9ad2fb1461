import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import SqliteDatabase from 'better-sqlite3';
import { childEnvironment } from '../../lib/child-environment.ts';
import { DatabaseUnavailableError } from '../error.ts';
import type { StatementResult } from './connection.ts';
import type { Answer, Request } from './serve.ts';
import type { Failure, Runner } from './work.ts';

/** A thread or process with a connection of its own. While it is idle, it does not keep this process alive. */
export interface Remote extends Runner {
  /** Whether it has ended, also by itself: its statements fail with DatabaseUnavailableError. */
  readonly isGone: boolean;
  /** Ends a process in the middle of a statement. A thread ends after its statement. */
  kill(): void;
}

/**
 * Starts the thread that writes to a file. The heap of its JavaScript holds no more than statements and their results.
 */
export function startWriterThread(path: string): Remote {
  const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
    workerData: path,
    execArgv: [],
    env: childEnvironment(),
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
  });
  const gone = new Promise<unknown>((resolve) => {
    let cause: unknown;
    // Without a listener, the error that ends a thread would end this process too.
    worker.on('error', (error) => {
      cause = error;
    });
    worker.once('exit', () => resolve(cause));
  });
  return createRemote({
    send: (request) => worker.postMessage(request),
    listen: (onAnswer) => worker.on('message', onAnswer),
    gone,
    stayAlive: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    kill: () => void worker.terminate(),
    close: () => worker.postMessage(null),
  });
}

const READER = new URL('./reader-process.ts', import.meta.url);

/**
 * Starts a process that reads a file. Nothing but the end of its process stops a statement of better-sqlite3: it has
 * neither `sqlite3_interrupt` nor a progress handler, and a thread cannot be stopped inside native code.
 */
export function startReaderProcess(path: string): Remote {
  const child = fork(READER, [path, String(process.pid)], {
    // Keeps 64-bit integers and bytes.
    serialization: 'advanced',
    execArgv: ['--max-semi-space-size=4'],
    env: childEnvironment(),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = new Promise<unknown>((resolve) => {
    child.once('exit', resolve);
    // It could not be started, or its channel is broken.
    child.on('error', (error) => {
      child.kill('SIGKILL');
      resolve(error);
    });
  });
  return createRemote({
    // A process that has just ended is reported by `gone`.
    send: (request) => void child.send(request, () => undefined),
    listen: (onAnswer) => child.on('message', (message) => onAnswer(message as Answer)),
    gone,
    stayAlive(isBusy) {
      if (isBusy) child.ref();
      else child.unref();
      if (isBusy) child.channel?.ref();
      else child.channel?.unref();
    },
    kill: () => void child.kill('SIGKILL'),
    close: () => child.connected && child.disconnect(),
  });
}

/** Returns a runner that starts a thread with its first statement, and another one when that has died. */
export function createReplacing(start: () => Remote): Runner {
  let remote: Remote | undefined;
  let isEnded = false;
  return {
    async run(work) {
      if (isEnded) throw new Error('The database has been closed.');
      if (remote === undefined || remote.isGone) remote = start();
      return remote.run(work);
    },
    async end() {
      isEnded = true;
      await remote?.end();
    },
  };
}

/** The way to a thread or process. */
interface Port {
  send(request: Request): void;
  listen(onAnswer: (answer: Answer) => void): void;
  /** Fulfilled with the reason when it has ended. */
  gone: Promise<unknown>;
  /** Sets whether it keeps this process alive. */
  stayAlive(isBusy: boolean): void;
  kill(): void;
  /** Makes it end after its statement. */
  close(): void;
}

function createRemote(port: Port): Remote {
  const waiting = new Map<number, PromiseWithResolvers<StatementResult[]>>();
  let lastId = 0;
  let isGone = false;
  let isEnding = false;
  port.listen((answer) => {
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0 && !isEnding) port.stayAlive(false);
    if ('results' in answer) request?.resolve(answer.results);
    else request?.reject(fromFailure(answer.failure));
  });
  const gone = port.gone.then((cause) => {
    isGone = true;
    for (const { reject } of waiting.values())
      reject(new DatabaseUnavailableError('connection', { cause }));
    waiting.clear();
  });
  port.stayAlive(false);
  return {
    get isGone() {
      return isGone;
    },
    async run(work) {
      if (isGone) throw new DatabaseUnavailableError('connection');
      const id = ++lastId;
      const request = Promise.withResolvers<StatementResult[]>();
      waiting.set(id, request);
      port.stayAlive(true);
      port.send({ id, work });
      return request.promise;
    },
    kill: port.kill,
    async end() {
      if (isGone) return;
      // Waits for it, so that the file is closed, also if a statement ends meanwhile.
      isEnding = true;
      port.stayAlive(true);
      port.close();
      await gone;
    },
  };
}

function fromFailure({ message, code, reason }: Failure): Error {
  if (reason !== null) return new DatabaseUnavailableError(reason);
  return code?.startsWith('SQLITE_')
    ? new SqliteDatabase.SqliteError(message, code)
    : new Error(message);
}
