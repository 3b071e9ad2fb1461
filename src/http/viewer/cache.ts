import type { FastifyReply } from 'fastify';

/** The headers of requests that can carry a credential. */
const CREDENTIALS = 'Authorization, Api-Key, Cookie';

/** The value for responses whose handler sets none: nothing keeps them. */
const NOT_STORED = 'private, no-store';

/** Adds a list of request headers to `Vary`, except those that it names already. */
export function vary(reply: FastifyReply, names: string): void {
  const given = reply.getHeader('vary');
  reply.header('vary', given === undefined ? names : union(String(given), names));
}

/** Unions of lists. The lists are constants of the program, so that there are only a few. */
const unions = new Map<string, string>();

function union(given: string, names: string): string {
  const key = `${given}\n${names}`;
  let result = unions.get(key);
  if (result === undefined) {
    const known = new Set(given.toLowerCase().split(/, */));
    const added = names.split(', ').filter((name) => !known.has(name.toLowerCase()));
    result = [given, ...added].join(', ');
    unions.set(key, result);
  }
  return result;
}

/** Makes caches keep the response apart for each credential. */
export function varyByViewer(reply: FastifyReply): void {
  vary(reply, CREDENTIALS);
}

/**
 * Completes the cache headers of a response. Every response depends on the viewer, so that no shared cache may keep it
 * and a browser must not use it for another viewer, unless its handler has declared it `public`.
 */
export function completeCacheHeaders(reply: FastifyReply): void {
  const control = reply.getHeader('cache-control');
  if (control === undefined) reply.header('cache-control', NOT_STORED);
  else if (/\bpublic\b/.test(String(control))) return;
  else if (!/\b(private|no-store)\b/.test(String(control))) {
    reply.header('cache-control', `private, ${control}`);
  }
  varyByViewer(reply);
}
