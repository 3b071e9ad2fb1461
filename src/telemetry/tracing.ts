import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { openTracer, type TracerOptions } from './tracer.ts';

/** Records spans. Work that runs within a span is below it in the trace. */
export interface Tracing {
  /** Begins the span of a request. */
  beginRequest(name: string, attributes: Attributes, parent: SpanContext | null): RequestSpan;
  /** Runs work in a span below the current one. Without a current one, only runs it. */
  within<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** Runs a job in a span of its own trace, which refers to the operation that has created the job. */
  job<T>(name: string, uuid: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** Notes the current span as the one that has created a job. */
  noteJob(uuid: string): void;
  /** Records a span below the current one that has just ended. Without a current one, does nothing. */
  record(name: string, attributes: Attributes, durationMs: number): void;
  /** Returns the fields of the current span for the log. */
  logFields(): { traceId?: string; spanId?: string };
  /** Sends the spans that have not been sent. */
  stop(): Promise<void>;
}

/** The span of a request. */
export interface RequestSpan {
  /** Runs work within the span: also what the work continues later. */
  run(work: () => void): void;
  /** Ends the span. `status`: of the response; null: the client went before. */
  end(status: number | null): void;
}

/** Jobs whose creators are remembered: only until they run, in this process. */
const JOBS_MAX = 10_000;

/** Starts to record spans and to send them to a collector. */
export async function createTracing(options: TracerOptions): Promise<Tracing> {
  const { tracer, stop } = await openTracer(options);
  const contexts = new AsyncLocalStorage<Context>();
  const creators = new Map<string, SpanContext>();
  const current = () => trace.getSpan(contexts.getStore() ?? ROOT_CONTEXT);
  const run = <T>(span: Span, work: () => T): T =>
    contexts.run(trace.setSpan(ROOT_CONTEXT, span), work);
  return {
    beginRequest(name, attributes, parent) {
      const above = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, above);
      return {
        run: (work) => run(span, work),
        end: (status) => endRequest(span, status),
      };
    },
    async within(name, attributes, work) {
      const above = contexts.getStore();
      if (above === undefined) return work();
      const span = tracer.startSpan(name, { attributes }, above);
      return ending(span, () => run(span, work));
    },
    async job(name, uuid, attributes, work) {
      const creator = creators.get(uuid);
      creators.delete(uuid);
      const links = creator === undefined ? [] : [{ context: creator }];
      const options = { kind: SpanKind.CONSUMER, attributes, links };
      const span = tracer.startSpan(name, options, ROOT_CONTEXT);
      return ending(span, () => run(span, work));
    },
    noteJob(uuid) {
      const span = current();
      if (span === undefined) return;
      creators.set(uuid, span.spanContext());
      const [oldest] = creators.keys();
      if (creators.size > JOBS_MAX && oldest !== undefined) creators.delete(oldest);
    },
    record: (name, attributes, durationMs) =>
      recordEnded(tracer, { name, attributes, durationMs, above: contexts.getStore() }),
    logFields() {
      const context = current()?.spanContext();
      return context === undefined ? {} : { traceId: context.traceId, spanId: context.spanId };
    },
    stop,
  };
}

interface EndedSpan {
  name: string;
  attributes: Attributes;
  durationMs: number;
  above: Context | undefined;
}

function recordEnded(tracer: Tracer, { name, attributes, durationMs, above }: EndedSpan): void {
  if (above === undefined || !trace.getSpan(above)?.isRecording()) return;
  const endTime = performance.timeOrigin + performance.now();
  const startTime = endTime - durationMs;
  tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes, startTime }, above).end(endTime);
}

/** Semantic conventions: an error of the client is no error of the server's span. */
function endRequest(span: Span, status: number | null): void {
  if (status !== null) span.setAttribute('http.response.status_code', status);
  if (status !== null && status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/**
 * Ends the span with the work. Of an error only its class is recorded: its message may contain names, URLs or paths, and is
 * in the log.
 */
async function ending<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
