import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSignInSecret } from '../../http/viewer/sign-in.ts';
import { workerName } from '../../job/name.ts';
import type { Config } from '../config.ts';
import { type Addresses, choosePort, logAddresses } from '../listen.ts';
import { createLog } from '../log.ts';
import { createHub, type Line } from './hub.ts';
import { createJobOwner } from './job-owner.ts';
import type { Duty, FromWorker } from './message.ts';
import { createRestarts } from './restart.ts';

/** What the primary process uses. */
export interface PrimaryHandle {
  exit: (code: number) => never;
  /** Releases the lock of the database. */
  unlock: () => void;
}

/** A worker process. */
interface Running extends Line {
  worker: Worker;
  /** Resolves when it accepts requests. */
  ready: Promise<Addresses>;
  /** Resolves with its exit code when it has ended; a signal counts as 1. */
  ended: Promise<number>;
}

/** Time that workers have to stop: more than each takes by itself, see `stop.ts`. */
const STOP_TIMEOUT_MS = 7000;

/**
 * Starts the workers, and a new one for each that ends, until a signal stops all. One that cannot start at first ends
 * the server with its exit code; it has printed why.
 */
export async function runPrimary(config: Config, { exit, unlock }: PrimaryHandle): Promise<void> {
  const log = createLog(config.logLevel);
  const hub = createHub();
  const jobs = createJobOwner();
  const restarts = createRestarts();
  const running = new Set<Running>();
  const shared = { port: await choosePort(config), link: createSignInSecret(Date.now()) };
  let stopping: Promise<void> | null = null;

  function start(isFirst: boolean): Running {
    const one = fork(hub.receive, { ...shared, isFirst });
    running.add(one);
    hub.join(one);
    void one.ready.then(() => jobs.join(one));
    void one.ended.then(() => {
      running.delete(one);
      hub.leave(one.name);
      jobs.leave(one.name);
    });
    return one;
  }

  /** Starts another worker whenever one has ended. */
  async function replace(one: Running): Promise<void> {
    const code = await one.ended;
    if (stopping !== null) return;
    const delayMs = restarts.delayMs();
    log.error({ worker: one.name, code, delayMs }, 'a worker has ended: another one starts');
    await sleep(delayMs);
    if (stopping === null) await replace(start(false));
  }

  async function stop(signal: string): Promise<void> {
    log.info({ signal }, 'stopping');
    await stopAll(running);
    unlock();
    log.info('stopped');
    exit(0);
  }

  function failStart(code: number): never {
    for (const { worker } of running) worker.process.kill('SIGKILL');
    unlock();
    return exit(code === 0 ? 1 : code);
  }

  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (stopping === null) stopping = stop(signal);
      else failStart(1);
    });
  }

  // The first one alone, because it migrates the database and creates the keys.
  const first = start(true);
  const addresses = await startOf(first);
  if (stopping !== null) return stopping;
  if (typeof addresses === 'number') return failStart(addresses);
  const others = Array.from({ length: config.workers - 1 }, () => start(false));
  const started = await Promise.all(others.map(startOf));
  if (stopping !== null) return stopping;
  const failed = started.find((one) => typeof one === 'number');
  if (failed !== undefined) return failStart(failed);
  log.info({ workers: config.workers }, `${config.workers} workers serve requests`);
  logAddresses(log, config, addresses);
  for (const one of [first, ...others]) void replace(one);
}

/** Returns where a worker is reached; if it ends first, its exit code. */
function startOf({ ready, ended }: Running): Promise<Addresses | number> {
  return Promise.race([ready, ended]);
}

/** Starts a worker process. */
function fork(
  receive: (from: string, message: FromWorker) => void,
  duty: Omit<Duty, 'name'>,
): Running {
  const worker = cluster.fork();
  const name = workerName(worker.process.pid ?? 0);
  const ready = Promise.withResolvers<Addresses>();
  const ended = Promise.withResolvers<number>();
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'join') send({ type: 'begin', duty: { ...duty, name } }, () => undefined);
    else if (message.type === 'ready') ready.resolve(message);
    else receive(name, message);
  });
  worker.once('exit', (code: number | null) => ended.resolve(code ?? 1));
  // Without a listener, the error of a broken channel would end this process. The exit follows.
  worker.on('error', () => worker.process.kill('SIGKILL'));
  const send: Line['send'] = (message, onSent) => {
    if (worker.isConnected()) worker.send(message, onSent);
    else onSent();
  };
  return { name, worker, send, ready: ready.promise, ended: ended.promise };
}

/** Stops all workers, and kills those that do not end in time. */
async function stopAll(running: ReadonlySet<Running>): Promise<void> {
  const all = [...running];
  for (const { send } of all) send({ type: 'stop' }, () => undefined);
  const late = setTimeout(() => {
    for (const { worker } of all) worker.process.kill('SIGKILL');
  }, STOP_TIMEOUT_MS);
  await Promise.all(all.map(({ ended }) => ended));
  clearTimeout(late);
}
