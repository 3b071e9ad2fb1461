import type { Log } from '../domain/context.ts';
import type { Config } from './config.ts';
import { isLoopback } from './setting.ts';

/** Logs a warning for each setting that is probably a mistake. */
export function warnOfRisks(
  log: Log,
  {
    auth,
    host,
    publicUrl,
    unknownVariables,
  }: Pick<Config, 'auth' | 'host' | 'publicUrl' | 'unknownVariables'>,
): void {
  if (unknownVariables.length > 0) {
    log.warn({ variables: unknownVariables }, 'unknown settings have no effect');
  }
  if (isLoopback(host)) return;
  if (auth === 'open') log.warn({ host }, OPEN);
  if (publicUrl === null) log.warn({ host }, NO_PUBLIC_URL);
}

const OPEN =
  'INSECURE: TRIVIUM_AUTH=open lets everyone who reaches this address read all media, upload, and change tags, without a ' +
  'credential. A program can claim to call localhost. Set TRIVIUM_AUTH=required, or TRIVIUM_HOST=127.0.0.1';

const NO_PUBLIC_URL =
  'TRIVIUM_PUBLIC_URL is not set: absolute links begin with the host that the client names, whatever that is';
