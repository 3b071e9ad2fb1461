import { z } from 'zod';
import type { TracingSettings } from '../telemetry/tracer.ts';
import { httpUrl, oneOf } from './setting.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Configuration of the log, metrics and traces. */
export interface TelemetrySettings {
  logLevel: (typeof LOG_LEVELS)[number];
  /** Who may read `/metrics`. `local`: clients on this machine, and admins. */
  metrics: 'off' | 'local' | 'admin' | 'open';
  /** Null: no traces. */
  tracing: TracingSettings | null;
}

/** The variables of the log and of metrics, as in `VARIABLES`. */
export const TELEMETRY_VARIABLES = {
  TRIVIUM_METRICS: [
    oneOf(['off', 'local', 'admin', 'open']).default('local'),
    'who may read /metrics: off (nobody), local (this machine, and admins), admin or open (anyone); default: local',
  ],
  TRIVIUM_LOG_LEVEL: [oneOf(LOG_LEVELS).default('info'), `${LOG_LEVELS.join(', ')}; default: info`],
} as const;

const protocol = oneOf(['http/json', 'http/protobuf']);

/** The variables of OpenTelemetry that the server reads itself, with their checks. Its packages read the others. */
export const OTEL_VARIABLES = {
  OTEL_SDK_DISABLED: [oneOf(['true', 'false']).default('false')],
  OTEL_TRACES_EXPORTER: [oneOf(['otlp', 'none']).default('otlp')],
  OTEL_EXPORTER_OTLP_ENDPOINT: [httpUrl.optional()],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [httpUrl.optional()],
  OTEL_EXPORTER_OTLP_PROTOCOL: [protocol.default('http/protobuf')],
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: [protocol.optional()],
  OTEL_TRACES_SAMPLER: [
    oneOf([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ]).default('parentbased_always_on'),
  ],
  OTEL_TRACES_SAMPLER_ARG: [
    z
      .string()
      .regex(/^(0(\.\d+)?|1(\.0+)?|\.\d+)$/, 'a number from 0 to 1')
      .transform(Number)
      .default(1),
  ],
} as const satisfies Record<string, readonly [z.ZodType]>;

type Values = {
  [Name in keyof typeof OTEL_VARIABLES]: z.output<(typeof OTEL_VARIABLES)[Name][0]>;
} & {
  TRIVIUM_METRICS: TelemetrySettings['metrics'];
  TRIVIUM_LOG_LEVEL: TelemetrySettings['logLevel'];
};

/** Returns the settings from the values of their variables. */
export function toTelemetry(values: Values): TelemetrySettings {
  const endpoint = values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isTraced =
    endpoint !== undefined &&
    values.OTEL_SDK_DISABLED === 'false' &&
    values.OTEL_TRACES_EXPORTER === 'otlp';
  const tracing = {
    protocol: values.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? values.OTEL_EXPORTER_OTLP_PROTOCOL,
    sampler: values.OTEL_TRACES_SAMPLER,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
  };
  return {
    logLevel: values.TRIVIUM_LOG_LEVEL,
    metrics: values.TRIVIUM_METRICS,
    tracing: isTraced ? tracing : null,
  };
}
