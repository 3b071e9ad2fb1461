import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { parseAllowedHosts } from '../../src/outbound/address.ts';
import {
  createOutbound,
  type GetOptions,
  type OutboundOptions,
} from '../../src/outbound/client.ts';
import { type Answer, withSite } from '../support/site.ts';

const NOT_FETCHED = {
  name: 'OutboundError',
  isPermanent: true,
  message: 'The URL leads to an address that this server does not fetch from.',
};

describe('the target of a request', () => {
  it.each([
    'http://127.0.0.1/',
    'http://0177.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://0/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://１２７.０.０.１/',
    'https://192.168.0.1/',
    'http://localhost/',
  ])('rejects %s', async (url) => {
    await expect(get(url)).rejects.toMatchObject(NOT_FETCHED);
  });

  it.each([
    ['file:///etc/passwd', /Only http and https/],
    ['ftp://example.org/', /Only http and https/],
    ['gopher://example.org/', /Only http and https/],
    ['no url', /Only http and https/],
    ['http://me:secret@example.org/', /a user name or a password/],
  ])('rejects %s', async (url, message) => {
    await expect(get(url)).rejects.toMatchObject({
      name: 'OutboundError',
      isPermanent: true,
      message: expect.stringMatching(message),
    });
  });

  it('rejects a name with one private address, without connecting', async () => {
    await withSite(hello, async ({ port, requests }) => {
      const resolve = answers([['8.8.8.8', '127.0.0.1']]);
      await expect(get(`http://evil.example:${port}/`, { resolve })).rejects.toMatchObject(
        NOT_FETCHED,
      );
      expect(requests).toHaveLength(0);
    });
  });

  it('connects to the address that was checked: a name is resolved once per connection', async () => {
    // Public at the first lookup, as a check before the request would see it; private at the second.
    const resolve = answers([['192.0.2.1'], ['127.0.0.1']]);
    const options = { resolve, ...allowing('192.0.2.1'), connectTimeoutMs: 100 };
    await withSite(hello, async ({ port, requests }) => {
      const outcome = get(`http://rebinding.example:${port}/`, options);
      await expect(outcome).rejects.toMatchObject({ name: 'OutboundError', isPermanent: false });
      const second = get(`http://rebinding.example:${port}/`, options);
      await expect(second).rejects.toMatchObject(NOT_FETCHED);
      expect([requests.length, resolve.count()]).toEqual([0, 2]);
    });
  });

  it('allows a private name of the list, at its port only', async () => {
    await withSite(hello, async ({ port }) => {
      const resolve = answers([['127.0.0.1']]);
      const url = `http://wiki.example:${port}/`;
      expect(await get(url, { resolve, ...allowing(`wiki.example:${port}`) })).toBe('hello');
      await expect(get(url, { resolve, ...allowing('wiki.example:1') })).rejects.toMatchObject(
        NOT_FETCHED,
      );
    });
  });

  it('allows a private address of the list, also of IPv6', async () => {
    const outcome = (...hosts: string[]) => get('http://[::1]:9/', allowing(...hosts));
    // No server listens there, which only a client that connects finds out.
    for (const host of ['[::1]:9', '[::1]', '::1/128']) {
      await expect(outcome(host)).rejects.toMatchObject({
        name: 'OutboundError',
        isPermanent: false,
      });
    }
    await expect(outcome('[::1]:10')).rejects.toMatchObject(NOT_FETCHED);
  });

  it.each(['http://169.254.169.254/', 'http://2130706433:1/', 'http://[::1]/', '//10.0.0.1/'])(
    'a redirect to %s is refused',
    async (location) => {
      await withAllowedSite(redirect(location), async (url, options) => {
        await expect(get(url, options)).rejects.toMatchObject(NOT_FETCHED);
      });
    },
  );

  it.each(['file:///etc/passwd', 'http://me:secret@example.org/'])(
    'a redirect to %s is refused',
    async (location) => {
      await withAllowedSite(redirect(location), async (url, options) => {
        await expect(get(url, options)).rejects.toMatchObject({
          name: 'OutboundError',
          isPermanent: true,
        });
      });
    },
  );

  it('follows a redirect whose path is raw UTF-8', async () => {
    const location = Buffer.from('/né').toString('latin1');
    const answer: Answer = ({ url }, response) => {
      if (url === '/') response.writeHead(302, { location }).end();
      else response.end(url);
    };
    await withAllowedSite(answer, async (url, options) => {
      expect(await get(`${url}/`, options)).toBe('/n%C3%A9');
    });
  });

  it('follows up to five redirects', async () => {
    const count: Answer = ({ url = '' }, response) => {
      const left = Number(url.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { location: `/${left - 1}` }).end('moved');
    };
    await withAllowedSite(count, async (url, options) => {
      expect(await get(`${url}/5`, options)).toBe('there');
      await expect(get(`${url}/6`, options)).rejects.toMatchObject({
        name: 'OutboundError',
        isPermanent: true,
        message: 'The URL is redirected more than 5 times.',
      });
    });
  });
});

describe('the headers of a request', () => {
  it('name the client, and hold no credentials', async () => {
    await withSite(hello, async ({ url, requests }) => {
      await get(`${url}/a?b=c#d`, allowing('127.0.0.1'));
      expect(requests[0]?.url).toBe('/a?b=c');
      const { host, connection, ...headers } = requests[0]!.headers;
      expect(headers).toEqual({ 'user-agent': 'Trivium', 'accept-encoding': 'identity' });
    });
  });
});

describe('a client does not wait for', () => {
  it.each<[string, Answer, object]>([
    [
      'an answer that does not begin',
      () => undefined,
      { name: 'OutboundError', isPermanent: false },
    ],
    [
      'headers without end',
      drip('x-a: b\r\n', 'HTTP/1.1 200 OK\r\n'),
      { name: 'OutboundError', isPermanent: false },
    ],
    [
      'a body that drips',
      drip('x', 'HTTP/1.1 200 OK\r\n\r\n'),
      { name: 'OutboundError', isPermanent: false },
    ],
  ])('%s', async (_what, answer, error) => {
    await withAllowedSite(answer, async (url, options) => {
      await expect(get(url, options, { timeoutMs: 200 })).rejects.toMatchObject({
        ...error,
        message: 'The server did not answer in time.',
      });
    });
  });

  it('a body that stops in the middle', async () => {
    const stop: Answer = (_request, response) => void response.writeHead(200).write('half');
    await withAllowedSite(stop, async (url, options) => {
      const outcome = get(url, { ...options, idleTimeoutMs: 100 }, { timeoutMs: 10_000 });
      await expect(outcome).rejects.toMatchObject({
        message: 'The server did not answer in time.',
      });
    });
  });

  it('headers that are too large', async () => {
    const answer: Answer = (_request, response) =>
      void response.writeHead(200, { 'x-large': 'x'.repeat(20_000) }).end();
    await withAllowedSite(answer, async (url, options) => {
      await expect(get(url, options)).rejects.toMatchObject({
        name: 'OutboundError',
        isPermanent: true,
      });
    });
  });

  it('a body shorter than its length says', async () => {
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    };
    await withAllowedSite(answer, async (url, options) => {
      await expect(get(url, options)).rejects.toMatchObject({ message: 'The connection broke.' });
    });
  });

  it('a response after an abort: it throws the reason of the signal', async () => {
    await withAllowedSite(
      () => undefined,
      async (url, options) => {
        const reason = new Error('enough');
        const signal = AbortSignal.abort(reason);
        await expect(get(url, options, { signal })).rejects.toBe(reason);
      },
    );
  });
});

describe('the error of a response', () => {
  it.each([
    [404, {}, { name: 'OutboundError', isPermanent: true, message: 'The server answered 404.' }],
    [304, {}, { name: 'OutboundError', isPermanent: true }],
    [408, {}, { name: 'OutboundError', isPermanent: false }],
    [425, {}, { name: 'OutboundError', isPermanent: false }],
    [
      429,
      { 'retry-after': '120' },
      { name: 'OutboundError', isPermanent: false, retryAfterMs: 120_000 },
    ],
    [503, {}, { name: 'OutboundError', isPermanent: false, retryAfterMs: 0 }],
    [200, { 'content-encoding': 'gzip' }, { name: 'OutboundError', isPermanent: true }],
  ])('%i with %o', async (status, headers, error) => {
    const answer: Answer = (_request, response) => void response.writeHead(status, headers).end();
    await withAllowedSite(answer, async (url, options) => {
      await expect(get(url, options)).rejects.toMatchObject(error);
    });
  });

  it('is not permanent if no server listens', async () => {
    const url = await withSite(hello, async ({ url }) => url);
    await expect(get(url, allowing('127.0.0.1'))).rejects.toMatchObject({
      name: 'OutboundError',
      isPermanent: false,
    });
  });

  it.each([
    ['is not known', () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' }))],
    ['has no address', async () => []],
  ])('is not permanent for a name that %s', async (_what, resolve) => {
    await expect(get('http://gone.example/', { resolve })).rejects.toMatchObject({
      name: 'OutboundError',
      isPermanent: false,
      message: 'The host was not found.',
    });
  });
});

const hello: Answer = (_request, response) => void response.end('hello');

function redirect(location: string): Answer {
  return (_request, response) => void response.writeHead(302, { location }).end();
}

/** Creates a response that sends its beginning, and then a few bytes now and again. */
function drip(text: string, beginning: string): Answer {
  return (_request, { socket }) => {
    socket?.write(beginning);
    const timer = setInterval(() => socket?.write(text), 20);
    socket?.on('close', () => clearInterval(timer)).on('error', () => undefined);
  };
}

function allowing(...hosts: string[]): OutboundOptions {
  return { allowed: parseAllowedHosts(hosts) };
}

function withAllowedSite(
  answer: Answer,
  work: (url: string, options: OutboundOptions) => Promise<void>,
) {
  return withSite(answer, ({ url, port }) => work(url, allowing(`127.0.0.1:${port}`)));
}

/** Creates a resolver that returns each list in turn, then repeats the last one. */
function answers(addresses: readonly string[][]) {
  let count = 0;
  const resolve = async (): Promise<LookupAddress[]> => {
    const answer = addresses[Math.min(count++, addresses.length - 1)] ?? [];
    return answer.map((address) => ({ address, family: 4 }));
  };
  return Object.assign(resolve, { count: () => count });
}

/** Returns the whole body as text. */
async function get(
  url: string,
  options: Partial<OutboundOptions> = {},
  { timeoutMs = 5000, signal = new AbortController().signal }: Partial<GetOptions> = {},
): Promise<string> {
  const outbound = createOutbound({ ...allowing(), ...options });
  try {
    const { body } = await outbound.get(url, { timeoutMs, signal });
    const pieces = await Array.fromAsync(body);
    return Buffer.concat(pieces).toString();
  } finally {
    await outbound.close();
  }
}
