import { type ChildProcess, fork } from 'node:child_process';
import { childEnvironment } from '../../lib/child-environment.ts';
import { keepAlive, killChild } from './child.ts';
import { type Answer, fromFailure, type Result, type Work } from './render-work.ts';

/** Renders images for jobs. Its functions throw as those of the same name do, and an Error if the process ends meanwhile. */
export interface Renderer extends Work {
  /** Ends the process, also in the middle of an image. */
  stop(): Promise<void>;
}

/** Time without work after which the process ends: it takes 85 MiB. */
const IDLE_MS = 10_000;

/**
 * Creates a renderer that renders in a process of low priority, so that requests come first, and so that an image that
 * brings the decoder down brings nothing else down. Starts the process with the first image, and again when it has ended.
 */
export function createRenderer(idleMs: number = IDLE_MS): Renderer {
  let current: RenderProcess | undefined;
  const run: Run = (name, parameters) => {
    if (current === undefined || current.isGone) current = startProcess(idleMs);
    return current.run(name, parameters);
  };
  return {
    renderSet: (...parameters) => run('renderSet', parameters),
    renderImage: (...parameters) => run('renderImage', parameters),
    stop: async () => current?.kill(),
  };
}

type Run = <Name extends keyof Work>(
  name: Name,
  parameters: Parameters<Work[Name]>,
) => Promise<Result<Name>>;

interface RenderProcess {
  /** Whether it has ended, or is about to. */
  readonly isGone: boolean;
  run: Run;
  kill(): Promise<void>;
}

function startProcess(idleMs: number): RenderProcess {
  const child = forkProcess();
  const waiting = new Map<number, Pick<PromiseWithResolvers<never>, 'resolve' | 'reject'>>();
  let lastId = 0;
  let isGone = false;
  const rest = restTimer(() => {
    isGone = true;
    if (child.connected) child.disconnect();
  }, idleMs);
  const fail = (cause: unknown) => {
    isGone = true;
    rest.cancel();
    const error = new Error('The process that renders images has ended.', { cause });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  child.once('exit', (code, signal) => fail(signal ?? code));
  // It could not be started, or its channel is broken.
  child.on('error', (error) => {
    child.kill('SIGKILL');
    fail(error);
  });
  child.on('message', (message) => {
    const answer = message as Answer;
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) rest.start();
    if (waiting.size === 0) keepAlive(child, false);
    // It is the result of the function that was asked for.
    if ('result' in answer) request?.resolve(answer.result as never);
    else request?.reject(fromFailure(answer.failure));
  });
  return {
    get isGone() {
      return isGone;
    },
    run(name, parameters) {
      rest.cancel();
      keepAlive(child, true);
      const request = Promise.withResolvers<Result<typeof name>>();
      const id = ++lastId;
      waiting.set(id, request);
      // A process that has just ended is reported by `exit`.
      child.send({ id, name, parameters }, () => undefined);
      return request.promise;
    },
    kill: () => killChild(child),
  };
}

function forkProcess(): ChildProcess {
  return fork(new URL('./renderer-process.ts', import.meta.url), [], {
    // Keeps bytes.
    serialization: 'advanced',
    execArgv: ['--max-semi-space-size=4'],
    env: { ...childEnvironment(), MALLOC_ARENA_MAX: '2' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

function restTimer(onOver: () => void, ms: number) {
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      timer = setTimeout(onOver, ms).unref();
    },
    cancel: () => clearTimeout(timer),
  };
}
