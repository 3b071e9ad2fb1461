import { expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { UploadError } from '../../src/client/upload/upload-error.ts';
import { caught } from './upload/upload.ts';

/** Returns a `fetch` that answers as given, and how often it has been called. */
function answering(answer: () => Response) {
  const calls = { count: 0 };
  const fetch = async () => {
    calls.count += 1;
    return answer();
  };
  return { fetch, calls };
}

const FAST = { url: 'http://127.0.0.1:4000', retryDelayMs: 1 };
const internal = () =>
  Response.json({ errors: [{ message: 'Internal', extensions: { code: 'INTERNAL' } }] });

test.each([
  ['INTERNAL', internal],
  ['502', () => new Response('', { status: 502 })],
  [
    'nothing',
    () => {
      throw new TypeError('refused');
    },
  ],
])('a query that is answered with %s is sent four times', async (_what, answer) => {
  const { fetch, calls } = answering(answer);
  const client = createClient({ ...FAST, fetch });
  for (const ask of [() => client.request('{ a }'), () => client.findFolder('/A')]) {
    calls.count = 0;
    await caught(ask());
    expect(calls.count).toBe(4);
  }
});

test('`retriesMax` sets the number of retries, also to none, and a mutation has none', async () => {
  for (const [retriesMax, expected] of [
    [0, 1],
    [6, 7],
  ] as const) {
    const { fetch, calls } = answering(internal);
    const client = createClient({ ...FAST, fetch, retriesMax });
    await caught(client.request('{ a }'));
    expect(calls.count).toBe(expected);
    calls.count = 0;
    await caught(client.request('mutation { a }'));
    expect(calls.count).toBe(1);
  }
});

test('an upload is retried eight times, so that a server can restart', async () => {
  const { fetch, calls } = answering(internal);
  const client = createClient({ ...FAST, fetch, retryDelayMaxMs: 1 });
  await caught(client.upload(new Blob(['a'])));
  expect(calls.count).toBe(9);
});

test.each(['http://a.example', 'http://a.example/sub/'])(
  'takes %j as a URL object too',
  async (url) => {
    const asked: string[] = [];
    const fetch = async (input: unknown) => {
      asked.push(String(input));
      return Response.json({ data: {} });
    };
    for (const given of [url, new URL(url)])
      await createClient({ url: given, fetch }).request('{ a }');
    expect(asked).toEqual(Array(2).fill(`${url.replace(/\/$/, '')}/graphql`));
    const withPassword = new URL('http://jane:secret@a.example');
    expect(() => createClient({ url: withPassword })).toThrow(UploadError);
  },
);

test.each(['nonsense', '', '/', 'ftp://a.example', 'http://jane:secret@a.example', 'http://'])(
  'the URL %j is refused at once',
  (url) => {
    const create = () => createClient({ url });
    expect(create).toThrow(UploadError);
    expect(create).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    expect(create).not.toThrow(/secret/);
  },
);
