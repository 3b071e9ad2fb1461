import type { FastifyInstance } from 'fastify';
import packageInfo from '../../package.json' with { type: 'json' };
import type { Services } from '../domain/context.ts';
import type { Manifest } from '../graphql/persisted/manifest.ts';
import { registerGraphql } from '../graphql/pipeline/handler.ts';
import { registerDialect } from '../http/dialect.ts';
import { registerFiles } from '../rest/file/route.ts';
import { registerHeartcore } from '../rest/heartcore/route.ts';
import { registerToken } from '../rest/heartcore/viewer/token.ts';
import { registerImporter } from '../rest/importer/route.ts';
import { registerMetrics } from '../rest/root/metrics.ts';
import { registerRoot } from '../rest/root/route.ts';
import { registerSelfCommunity } from '../rest/selfcommunity/route.ts';
import type { Config } from './config.ts';

/** What the dialects need beside the services and the configuration. */
export interface DialectParts {
  manifest: Manifest | null;
  /** (Default: that of GraphQL) */
  viewerCheckMs?: number | undefined;
  /** Returns the metrics, in the format of Prometheus. */
  readMetrics: () => Promise<string>;
}

/** Registers all dialects, the pages of the root, and the metrics. */
export async function registerDialects(
  server: FastifyInstance,
  services: Services,
  config: Config,
  { viewerCheckMs, manifest, readMetrics }: DialectParts,
): Promise<void> {
  const { publicUrl, isGraphiqlEnabled } = config;
  const transport = { services, publicUrl };
  await registerDialect(server, 'files', registerFiles, transport);
  await registerDialect(server, 'root', registerRoot, {
    ...transport,
    isGraphiqlEnabled,
    version: packageInfo.version,
  });
  await registerDialect(server, 'heartcore', registerHeartcore, transport);
  await registerDialect(server, 'heartcore', registerToken, { services });
  await registerDialect(server, 'selfcommunity', registerSelfCommunity, {
    ...transport,
    imageBytesMax: config.selfcommunityImageBytesMax,
  });
  await registerDialect(server, 'importer', registerImporter, transport);
  if (config.metrics !== 'off') {
    const options = { services, access: config.metrics, read: readMetrics };
    await registerDialect(server, 'root', registerMetrics, options);
  }
  await registerDialect(server, 'graphql', registerGraphql, {
    ...transport,
    isGraphiqlEnabled,
    manifest,
    viewerCheckMs,
  });
}
