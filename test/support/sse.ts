import type { TestApp } from './app.ts';
import type { GraphqlAnswer } from './graphql.ts';

/** One event of a stream. `complete` has no data. */
export interface StreamEvent {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
  data: any;
  errors?: GraphqlAnswer['errors'];
}

/** An open subscription, read event by event. */
export interface EventStream {
  response: Response;
  /** Returns the next event, or null at the end of the stream. Throws if none arrives in time. (Default: 20 s) */
  next(timeoutMs?: number): Promise<StreamEvent | null>;
  /** Returns all events up to the end of the stream. */
  rest(): Promise<StreamEvent[]>;
  /** Returns the number of pings so far. */
  pings(): number;
  /** Closes the connection. */
  close(): void;
}

/** Subscribes over HTTP and waits for the headers. */
export async function openStream(
  app: Pick<TestApp, 'url'>,
  query: string,
  { variables = {}, authorization, origin }: StreamOptions = {},
): Promise<EventStream> {
  const controller = new AbortController();
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(authorization && { authorization }),
      ...(origin && { origin }),
    },
    body: JSON.stringify({ query, variables }),
    signal: controller.signal,
  });
  let pings = 0;
  const events = readEvents(response, () => ++pings);
  const next = async (timeoutMs = 60_000) => {
    const { value } = await inTime(events.next(), timeoutMs);
    return value ?? null;
  };
  const rest = async () => {
    const found: StreamEvent[] = [];
    for (let event = await next(); event !== null; event = await next()) found.push(event);
    return found;
  };
  return { response, next, rest, pings: () => pings, close: () => controller.abort() };
}

/** Subscribes, runs `work` with the open stream, then closes the connection. */
export async function withStream<T>(
  app: Pick<TestApp, 'url'>,
  query: string,
  work: (stream: EventStream) => Promise<T>,
  options: StreamOptions = {},
): Promise<T> {
  const stream = await openStream(app, query, options);
  return work(stream).finally(() => stream.close());
}

/** Options of a subscription. */
export interface StreamOptions {
  variables?: Record<string, unknown>;
  authorization?: string | undefined;
  /** Origin of the page that subscribes. */
  origin?: string;
}

async function* readEvents(
  { body }: Response,
  onPing: () => void,
): AsyncGenerator<StreamEvent, undefined> {
  let text = '';
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block === ':') onPing();
      else yield parseEvent(block);
    }
  }
}

function parseEvent(block: string): StreamEvent {
  const [, event = '', text = ''] = /^event: (.*)\ndata: ?(.*)$/.exec(block) ?? [];
  const { data, errors } = text === '' ? {} : JSON.parse(text);
  return { event, data, ...(errors && { errors }) };
}

function inTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('No event arrived in time.')), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
