import type { Services } from '../domain/context.ts';
import { countDamagedFiles } from '../domain/file/damage.ts';
import { createReadinessOf, type HealthOptions, type Readiness } from '../http/readiness.ts';
import type { Ping } from '../store/postgres/ping.ts';

/** Creates what the health checks ask. */
export function createHealth(services: Services, ping: Ping): HealthOptions {
  return {
    checkReady: createCheck(services, ping),
    listWarnings: () => listWarnings(services),
    listDecoders: () => services.decoders.states(),
  };
}

/** Creates the check whether the parts that requests need work. */
function createCheck({ staging, blobs }: Services, ping: Ping): Readiness {
  return createReadinessOf({
    database: () => ping.check(),
    'staged bytes': () => staging.check(),
    'blob store': () => blobs.check(),
  });
}

async function listWarnings(services: Services): Promise<string[]> {
  const damaged = await countDamagedFiles(services);
  return damaged === 0 ? [] : [`damaged files: ${damaged}`];
}
