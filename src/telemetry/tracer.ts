import { DiagLogLevel, diag, type Tracer } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** The samplers of the OpenTelemetry specification. */
export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio';

/** How spans are chosen and sent. The packages read the rest of the variables `OTEL_*` themselves. */
export interface TracingSettings {
  protocol: 'http/json' | 'http/protobuf';
  sampler: SamplerName;
  /** Fraction of the traces that `traceidratio` records, from 0 to 1. */
  ratio: number;
}

/** Options of a tracer. */
export interface TracerOptions extends TracingSettings {
  version: string;
  log: { warn(fields: object, message: string): void };
}

/** Maximum time for the last spans, when the server stops. */
const STOP_MS = 2000;

/** Opens a tracer, and the sender of its spans. */
export async function openTracer({
  protocol,
  sampler,
  ratio,
  version,
  log,
}: TracerOptions): Promise<{ tracer: Tracer; stop: () => Promise<void> }> {
  const warn = (...[message, ...details]: unknown[]) =>
    log.warn({ details: details.map(String) }, `traces: ${String(message)}`);
  const ignore = () => undefined;
  const logger = { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const own = resourceFromAttributes({ 'service.name': 'trivium', 'service.version': version });
  const detectors = [resourceAttributesEnvDetector, serviceNameEnvDetector];
  const given = detectResources({ detectors });
  const provider = new TracerProvider({
    resource: defaultResource().merge(own).merge(given),
    sampler: createSampler(sampler, ratio),
    spanProcessors: [new BatchSpanProcessor({ exporter: await createExporter(protocol) })],
  });
  return {
    tracer: provider.getTracer('trivium', version),
    stop: () => Promise.race([provider.shutdown().catch(ignore), late(STOP_MS)]),
  };
}

/** Creates the exporter, whose packages are loaded only for the protocol that is used. */
async function createExporter(protocol: TracingSettings['protocol']): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter();
}

function createSampler(name: SamplerName, ratio: number): Sampler {
  const root = createRootSampler(name.replace('parentbased_', ''), ratio);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function createRootSampler(name: string, ratio: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler();
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}

function late(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms).unref();
  return promise;
}
