import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import type { Pinning } from './pinning.ts';
import type { RunningServer, Scratch } from './scratch.ts';

/** Base of the links in answers, the same for both sides whatever port they get. */
export const PUBLIC_URL = 'http://media.example';

/** The root of this checkout. */
const OWN_CHECKOUT = new URL('../', import.meta.url);

export const JWT_SECRET = 'trivium-bench-secret-trivium-bench-secret';

export interface ServerSetup {
  scratch: Scratch;
  pinning: Pinning;
  /** Directory of our server's `node --cpu-prof` output; null: no profile. */
  profileDirectory: string | null;
}

/**
 * Starts our server, or that of another checkout, as it runs in production: credentials required, a log line for each
 * request.
 */
export function startTrivium(
  { scratch, pinning, profileDirectory }: ServerSetup,
  name: string,
  settings: Readonly<Record<string, string>> = {},
  checkout: URL = OWN_CHECKOUT,
): Promise<RunningServer> {
  const profile =
    profileDirectory === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDirectory];
  const { bin } = JSON.parse(readFileSync(new URL('package.json', checkout), 'utf8'));
  const entry = fileURLToPath(new URL(bin.trivium, checkout));
  return scratch.start(
    name,
    [...pinning.serverPrefix, process.execPath, ...profile, entry, 'serve'],
    {
      ...withoutSettings(process.env),
      TRIVIUM_PORT: '0',
      TRIVIUM_DATA_DIR: scratch.path(name),
      TRIVIUM_PUBLIC_URL: PUBLIC_URL,
      TRIVIUM_AUTH: 'required',
      TRIVIUM_JWT_SECRET: JWT_SECRET,
      TRIVIUM_LOG_LEVEL: 'info',
      ...settings,
    },
  );
}

/** Starts a server to compare with. */
export function startLimit(
  { scratch, pinning }: ServerSetup,
  script: URL,
  ...args: readonly string[]
): Promise<RunningServer> {
  const path = fileURLToPath(script);
  const command = [...pinning.serverPrefix, process.execPath, path, ...args];
  return scratch.start(basename(path, '.ts'), command, process.env);
}

/** The `Authorization` header of user 7. */
export async function bearerToken(role: 'editor' | 'admin' = 'editor'): Promise<string> {
  const token = await new SignJWT({ user_id: 7, role })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(JWT_SECRET));
  return `Bearer ${token}`;
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([variable]) => !variable.startsWith('TRIVIUM_')),
  );
}
