import type { SignInUse } from '../../http/viewer/sign-in.ts';
import type { Collect } from '../../telemetry/telemetry.ts';
import type { Duty, FromWorker, MetricsAnswer, MetricsMessage, ToWorker } from './message.ts';
import { createWorkerGate, type WorkerGate } from './write-gate.ts';

/** A worker, as its own parts see it. */
export interface Member extends Duty {
  /** Sends a notice to the other workers. Returns false if it was lost. */
  tell(text: string): Promise<boolean>;
  /** Sets who receives the notices of the others, and learns that some have been lost. */
  listen(listeners: MemberListeners): void;
  /** Calls this when the worker has to run the jobs, which may have been decided before. */
  onJobs(run: (lost: readonly string[]) => void): void;
  /** Calls this when the server stops. */
  onStop(stop: () => void): void;
  /** Tells the primary process that this worker accepts requests. */
  announce(url: string, signInPath: string | null): void;
  /** The one use of the sign-in link, which all workers share. */
  linkUse: SignInUse;
  /** Orders the writes of all workers to a SQLite database. */
  writeGate: WorkerGate;
  /** Sets who reads the metrics of this worker. */
  onMetrics(collect: Collect): void;
  /** Returns the metrics of all processes of the server, in the format of Prometheus. */
  readMetrics(): Promise<string>;
}

/** Listeners of a worker. */
export interface MemberListeners {
  onNotice: (text: string) => void;
  /** `ended`: the name of a worker that has ended. */
  onGap: (ended: string | undefined) => void;
}

/** The channel of a worker process to the primary process. */
export type Port = Pick<NodeJS.Process, 'send' | 'on'>;

/** Waits for the duty of this worker. The process ends by itself when the primary process does. */
export async function joinCluster(port: Port): Promise<Member> {
  const begun = Promise.withResolvers<Duty>();
  let listeners: MemberListeners | undefined;
  const jobs = createLatch<readonly string[]>();
  const stop = createLatch<void>();
  /** The requests that wait for the primary's answer, in order. */
  const asking: ((isTaken: boolean) => void)[] = [];

  port.on('message', (message: ToWorker) => {
    if (message.type === 'begin') begun.resolve(message.duty);
    else if (message.type === 'notice') listeners?.onNotice(message.text);
    else if (message.type === 'gap') listeners?.onGap(message.ended);
    else if (message.type === 'run-jobs') jobs.set(message.lost);
    else if (message.type === 'link') asking.shift()?.(message.isTaken);
    else if (message.type === 'stop') stop.set();
    else if (message.type === 'read-metrics' || message.type === 'group-metrics')
      metrics.receive(message);
    else writeGate.receive(message);
  });

  const send = (message: FromWorker) =>
    new Promise<boolean>((resolve) => {
      if (port.send === undefined) return resolve(false);
      port.send(message, (error: Error | null) => resolve(error === null));
    });
  const writeGate = createWorkerGate((request) => void send(request));
  const metrics = createMemberMetrics((message) => void send(message));
  // Node drops messages that arrive before the listener.
  void send({ type: 'join' });
  return {
    ...(await begun.promise),
    tell: (text) => send({ type: 'notice', text }),
    listen(given) {
      listeners = given;
    },
    onJobs: jobs.use,
    onStop: stop.use,
    announce: (url, signInPath) => void send({ type: 'ready', url, signInPath }),
    writeGate,
    onMetrics: metrics.onMetrics,
    readMetrics: metrics.readMetrics,
    linkUse: {
      take: () =>
        new Promise((resolve) => {
          asking.push(resolve);
          void send({ type: 'take-link' });
        }),
      giveBack: () => void send({ type: 'return-link' }),
    },
  };
}

/** Creates the metrics' part of a member. */
function createMemberMetrics(send: (message: MetricsMessage) => void) {
  let collect: Collect | undefined;
  const asking: PromiseWithResolvers<string>[] = [];
  return {
    onMetrics(given: Collect) {
      collect = given;
    },
    readMetrics() {
      const answer = Promise.withResolvers<string>();
      asking.push(answer);
      send({ type: 'want-metrics' });
      return answer.promise;
    },
    receive(answer: MetricsAnswer) {
      if (answer.type === 'read-metrics') {
        void collect?.(answer).then((samples) => send({ type: 'metrics', samples }));
      } else if (answer.text === null) {
        asking.shift()?.reject(new Error('The primary process could not read the metrics.'));
      } else {
        asking.shift()?.resolve(answer.text);
      }
    },
  };
}

/** Passes one value on, whichever comes first: the value, or the function that takes it. */
function createLatch<Value>() {
  const value = Promise.withResolvers<Value>();
  return {
    set: (given: Value) => value.resolve(given),
    use: (take: (value: Value) => void) => void value.promise.then(take),
  };
}
