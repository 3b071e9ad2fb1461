import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../domain/context.ts';
import { createSignInSecret } from '../../http/viewer/sign-in.ts';
import { workerName } from '../../job/name.ts';
import type { Config } from '../config.ts';
import { type Addresses, choosePort, logAddresses } from '../listen.ts';
import { createLog } from '../log.ts';
import { createDutyOwner } from './duty-owner.ts';
import { createHub, type Hub, type Line } from './hub.ts';
import type { Duty, FromWorker } from './message.ts';
import { createRestarts } from './restart.ts';
import { createScrapes, type Scrapes } from './scrape.ts';

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
  const shared = { port: await choosePort(config), link: createSignInSecret(Date.now()) };
  const crew = createCrew(shared, log);
  let stopping: Promise<void> | null = null;

  async function stop(signal: string): Promise<void> {
    log.info({ signal }, 'stopping');
    await crew.stop();
    unlock();
    log.info('stopped');
    exit(0);
  }

  function fail(code: number): never {
    crew.kill();
    unlock();
    return exit(code === 0 ? 1 : code);
  }

  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (stopping === null) stopping = stop(signal);
      else fail(1);
    });
  }

  // The first one alone, because it migrates the database and creates the keys.
  const started = [await startOf(crew.start(true))];
  if (typeof started[0] !== 'number' && stopping === null) {
    const others = Array.from({ length: config.workers - 1 }, () => crew.start(false));
    started.push(...(await Promise.all(others.map(startOf))));
  }
  if (stopping !== null) return stopping;
  const failed = started.find((one) => typeof one === 'number');
  if (failed !== undefined) return fail(failed);
  crew.keep(config.workers);
  log.info({ workers: config.workers }, `${config.workers} workers serve requests`);
  logAddresses(log, config, started[0] as Addresses);
}

/** The workers of a server. */
interface Crew {
  start(isFirst: boolean): Running;
  /** From now on, there are this many workers: starts another one whenever one ends. */
  keep(count: number): void;
  /** Stops all, and kills those that do not end in time. */
  stop(): Promise<void>;
  kill(): void;
}

function createCrew(shared: Pick<Duty, 'port' | 'link'>, log: Log): Crew {
  const hub = createHub();
  const owner = createDutyOwner();
  const scrapes = createScrapes();
  const restarts = createRestarts();
  const running = new Set<Running>();
  let isReplacing = false;

  function start(isFirst: boolean): Running {
    const one = fork(receiver(hub, scrapes), { ...shared, isFirst });
    running.add(one);
    hub.join(one);
    scrapes.join(one);
    void one.ready.then(() => {
      if (!running.has(one)) return;
      owner.join(one);
      scrapes.begin(one.name);
    });
    void one.ended.then((code) => {
      running.delete(one);
      hub.leave(one.name);
      owner.leave(one.name);
      scrapes.leave(one.name);
      if (isReplacing) void replace(one.name, code);
    });
    return one;
  }

  async function replace(worker: string, code: number): Promise<void> {
    const delayMs = restarts.delayMs();
    log.error({ worker, code, delayMs }, 'a worker has ended: another one starts');
    await sleep(delayMs);
    if (isReplacing) start(false);
  }

  const kill = () => {
    for (const { worker } of running) worker.process.kill('SIGKILL');
  };
  return {
    start,
    keep(count) {
      isReplacing = true;
      while (running.size < count) start(false);
    },
    async stop() {
      isReplacing = false;
      const late = setTimeout(kill, STOP_TIMEOUT_MS);
      for (const { send } of running) send({ type: 'stop' }, () => undefined);
      await Promise.all([...running].map(({ ended }) => ended));
      clearTimeout(late);
    },
    kill,
  };
}

function receiver(hub: Hub, scrapes: Scrapes) {
  return (from: string, message: FromWorker): void => {
    if (message.type === 'want-metrics' || message.type === 'metrics') {
      scrapes.receive(from, message);
    } else {
      hub.receive(from, message);
    }
  };
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
