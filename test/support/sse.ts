import type { TestApp } from './app.ts';
import type { GraphqlAnswer } from './graphql.ts';

/** What one event of a stream says; `complete` says nothing. */
export interface StreamEvent {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says by its assertions what it expects
  data: any;
  errors?: GraphqlAnswer['errors'];
}

/** An open subscription, read event by event. */
export interface EventStream {
  response: Response;
  /** The next event; null when the stream has ended. Fails when none comes in time: twenty seconds. */
  next(timeoutMs?: number): Promise<StreamEvent | null>;
  /** Everything up to the end. */
  rest(): Promise<StreamEvent[]>;
  /** What has come that is no event: pings. */
  pings(): number;
  /** Hangs up. */
  close(): void;
}

/** Subscribes over HTTP and waits for the headers. */
export async function openStream(
  app: Pick<TestApp, 'url'>,
  query: string,
  { variables = {}, authorization }: StreamOptions = {},
): Promise<EventStream> {
  const controller = new AbortController();
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(authorization && { authorization }),
    },
    body: JSON.stringify({ query, variables }),
    signal: controller.signal,
  });
  let pings = 0;
  const events = readEvents(response, () => ++pings);
  const next = async (timeoutMs = 20_000) => {
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

/** Subscribes, works while the stream is open, and hangs up. */
export async function withStream<T>(
  app: Pick<TestApp, 'url'>,
  query: string,
  work: (stream: EventStream) => Promise<T>,
  options: StreamOptions = {},
): Promise<T> {
  const stream = await openStream(app, query, options);
  return work(stream).finally(() => stream.close());
}

export interface StreamOptions {
  variables?: Record<string, unknown>;
  authorization?: string | undefined;
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
    const late = setTimeout(() => reject(new Error('No event came in time.')), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
