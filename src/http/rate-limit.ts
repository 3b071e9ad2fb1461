import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { TooManyRequestsError } from '../domain/error.ts';
import type { ExceededLimit } from '../domain/exceeded-limit.ts';
import { viewerSubject } from '../domain/viewer/subject.ts';
import type { RateExchange } from './rate-exchange.ts';
import { isHealthCheck } from './readiness.ts';

/** The limits on requests. */
export interface RateOptions {
  /** Requests a second that one viewer may send; 0: no limit. */
  requestsPerSecondMax: number;
  /** All viewers of one address may send this many times as much. */
  addressFactor: number;
  /** Whether the limit also applies to loopback addresses. */
  isLoopbackLimited: boolean;
  /** Shares the counts with other processes. (Default: this process is alone) */
  exchange?: RateExchange | undefined;
  /** Called for each refused request. (Default: does nothing) */
  onRefused?: () => void;
}

/** Counts requests. Each function throws TooManyRequestsError. */
export interface RateLimit {
  /** Counts a request for its address, before its credential is checked. */
  countAddress(request: FastifyRequest): Promise<void>;
  /** Counts a request for its viewer, and adds the headers that say how many are left. */
  countViewer(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Counts a further operation of a request or a connection, as if it were a request. */
  countOperation(sender: RateSender): Promise<void>;
}

/** The sender of an operation. */
export type RateSender = Pick<FastifyRequest, 'client' | 'viewer'>;

const WINDOW_SECONDS = 1;

/**
 * Fraction of a limit that a process counts before it tells the others. Few viewers reach it, so few notices are sent.
 */
const UNSHARED_PART = 0.1;

/**
 * Creates the limit on requests. A window begins with the first request of a viewer or an address and lasts a second.
 * Each process counts in memory, because a statement for each request would take longer than many requests do. It tells
 * the others what viewers send beyond a tenth of their limit.
 */
export function createRateLimit(options: RateOptions): RateLimit {
  const { requestsPerSecondMax: viewerMax, addressFactor, isLoopbackLimited } = options;
  const { exchange, onRefused } = options;
  const viewers = createCounter(viewerMax, exchange, onRefused);
  const addresses = createCounter(viewerMax * addressFactor, exchange, onRefused);
  exchange?.onElsewhere((subject, count) => {
    if (viewerMax > 0) (isAddress(subject) ? addresses : viewers).add(subject, count);
  });
  // A limit must not make a healthy server look unhealthy.
  const isFreeSender = ({ client }: RateSender) =>
    viewerMax === 0 || (client.isLoopback && !isLoopbackLimited);
  const isFree = (request: FastifyRequest) => isFreeSender(request) || isHealthCheck(request);
  return {
    async countAddress(request) {
      if (!isFree(request)) await addresses.count(`address:${request.client.hash}`);
    },
    async countViewer(request, reply) {
      if (isFree(request)) return;
      const { remainingPoints, msBeforeNext } = await viewers.count(viewerSubject(request));
      reply.headers(rateHeaders(viewers.limit, remainingPoints, msBeforeNext));
    },
    async countOperation(sender) {
      if (isFreeSender(sender)) return;
      await addresses.count(`address:${sender.client.hash}`);
      await viewers.count(viewerSubject(sender));
    },
  };
}

function isAddress(subject: string): boolean {
  return subject.startsWith('address:');
}

function createCounter(
  points: number,
  exchange: RateExchange | undefined,
  onRefused: () => void = () => undefined,
) {
  const limit = { name: 'requests', limit: points, windowSeconds: WINDOW_SECONDS } as const;
  const limiter = new RateLimiterMemory({ points, duration: WINDOW_SECONDS });
  return {
    limit,
    async count(key: string): Promise<RateLimiterRes> {
      try {
        const result = await limiter.consume(key);
        if (result.consumedPoints > points * UNSHARED_PART) exchange?.count(key);
        return result;
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        onRefused();
        throw new TooManyRequestsError(Math.max(1, refusal.msBeforeNext), limit);
      }
    },
    /** Adds requests that another process has counted. */
    add(key: string, count: number): void {
      void limiter.penalty(key, count);
    },
  };
}

/**
 * Returns the headers that describe a limit: draft-ietf-httpapi-ratelimit-headers-10. `remaining`: how much is left for
 * the next `resetMs` milliseconds.
 */
export function rateHeaders(
  { name, limit, windowSeconds }: ExceededLimit,
  remaining: number,
  resetMs: number,
): Record<string, string> {
  const unit = UNITS[name];
  const window = windowSeconds === undefined ? '' : `;w=${windowSeconds}`;
  return {
    'ratelimit-policy': `"${name}";q=${limit}${unit === undefined ? '' : `;qu="${unit}"`}${window}`,
    ratelimit: `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
  };
}

/** Units other than requests, as the draft (§2.1.1, `qu`) registers them. */
const UNITS: Partial<Record<ExceededLimit['name'], string>> = {
  subscriptions: 'concurrent-requests',
  archives: 'concurrent-requests',
  'promised-bytes': 'content-bytes',
  'stored-bytes': 'content-bytes',
};
