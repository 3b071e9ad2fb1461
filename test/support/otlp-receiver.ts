import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A span as a collector receives it. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  /** Empty or absent: the root of its trace. */
  parentSpanId?: string;
  links: { traceId: string; spanId: string }[];
  attributes: Record<string, unknown>;
  /** Attributes of the server that has sent it. */
  resource: Record<string, unknown>;
}

/** A collector of traces. */
export interface Receiver {
  url: string;
  /** All spans so far. */
  spans: ReceivedSpan[];
  /** The headers of the last request. */
  headers(): Record<string, unknown>;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

type Sent = Omit<ReceivedSpan, 'attributes' | 'resource' | 'links'> & {
  attributes?: Attribute[];
  links?: ReceivedSpan['links'];
};

interface Body {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: Sent[] }[];
  }[];
}

/** Runs `work` with a collector that speaks OTLP over HTTP, in JSON. */
export async function withReceiver<T>(work: (receiver: Receiver) => Promise<T>): Promise<T> {
  const spans: ReceivedSpan[] = [];
  let headers = {};
  const server = createServer(async (request, response) => {
    headers = request.headers;
    const isTraces = request.method === 'POST' && request.url === '/v1/traces';
    if (isTraces) spans.push(...toSpans((await json(request)) as Body));
    response.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await work({ url: `http://127.0.0.1:${port}`, spans, headers: () => headers });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function toSpans({ resourceSpans }: Body): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map(({ attributes = [], links = [], ...span }) => ({
        ...span,
        links,
        attributes: toObject(attributes),
        resource: toObject(resource.attributes),
      })),
  );
}

function toObject(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
