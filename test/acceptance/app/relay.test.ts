import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { askRelay, type RelaySend, VIEWER_TEXT, viewerRequest } from './relay-client.ts';
import { withAppServer } from './server.ts';

const MD5 = '5d7a9e8ac0e4b5f2a1f6b1f2c3d4e5f6';

test.each(['doc_id', 'id', 'documentId'])(
  'Relay runs a document of the file of its compiler, by `%s`',
  (name) =>
    withAppServer(
      async ({ url }) => {
        const send: RelaySend = async ({ id, text }, variables) => {
          const response = await fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ [name]: id, query: text, variables }),
          });
          const result = await response.json();
          if (!response.ok) throw new Error(result.errors[0].extensions.code);
          return result;
        };
        const persisted = askRelay(send, viewerRequest({ id: MD5 }));
        expect(await persisted).toMatchObject({ viewer: { kind: 'ANONYMOUS' } });
        const other = askRelay(send, viewerRequest({ text: VIEWER_TEXT }));
        await expect(other).rejects.toThrow('PERSISTED_QUERY_ONLY');
      },
      { manifest: { [MD5]: VIEWER_TEXT } },
    ),
);

test('Relay runs a document of the file of its compiler over graphql-ws', () =>
  withAppServer(
    async ({ url }) => {
      const client = createClient({ url: url.replace('http', 'ws'), retryAttempts: 0 });
      const send: RelaySend = async ({ id, text }, variables) => {
        // Relay's text is null, which the client of graphql-ws refuses to send.
        const payload = { id, query: text ?? '', variables: { ...variables } };
        return (await client.iterate(payload).next()).value;
      };
      expect(await askRelay(send, viewerRequest({ id: MD5 }))).toMatchObject({
        viewer: { kind: 'ANONYMOUS' },
      });
      await client.dispose();
    },
    { manifest: { [MD5]: VIEWER_TEXT } },
  ));
