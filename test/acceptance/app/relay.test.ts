import {
  type ConcreteRequest,
  Environment,
  type FetchFunction,
  fetchQuery,
  Network,
  RecordSource,
  Store,
} from 'relay-runtime';
import { expect, test } from 'vitest';
import { withAppServer } from './server.ts';

const TEXT = 'query ViewerQuery { viewer { kind } }';
const MD5 = '5d7a9e8ac0e4b5f2a1f6b1f2c3d4e5f6';

/** What relay-compiler writes for the document, with and without `persistConfig`. */
const requestOf = (params: object): ConcreteRequest => {
  const kind = {
    ...{ alias: null, args: null, kind: 'ScalarField' as const, name: 'kind', storageKey: null },
  };
  const selections = [
    {
      ...{ alias: null, args: null, concreteType: 'Viewer', kind: 'LinkedField' as const },
      ...{ name: 'viewer', plural: false, selections: [kind], storageKey: null },
    },
  ];
  const base = { name: 'ViewerQuery', operationKind: 'query', metadata: {}, cacheID: 'viewer' };
  return {
    kind: 'Request',
    fragment: {
      ...{ argumentDefinitions: [], kind: 'Fragment', metadata: null, name: 'ViewerQuery' },
      ...{ selections, type: 'Query', abstractKey: null },
    },
    operation: { argumentDefinitions: [], kind: 'Operation', name: 'ViewerQuery', selections },
    params: { ...base, id: null, text: null, ...params },
  } as unknown as ConcreteRequest;
};

test.each(['doc_id', 'id', 'documentId'])(
  'Relay runs a document of the file of its compiler, by `%s`',
  (name) =>
    withAppServer(
      async ({ url }) => {
        const send: FetchFunction = async ({ id, text }, variables) => {
          const response = await fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ [name]: id, query: text, variables }),
          });
          const result = await response.json();
          if (!response.ok) throw new Error(result.errors[0].extensions.code);
          return result;
        };
        const network = Network.create(send);
        const environment = new Environment({ network, store: new Store(new RecordSource()) });
        const persisted = fetchQuery(environment, requestOf({ id: MD5 }), {});
        expect(await persisted.toPromise()).toMatchObject({ viewer: { kind: 'ANONYMOUS' } });
        const other = fetchQuery(environment, requestOf({ text: TEXT }), {});
        await expect(other.toPromise()).rejects.toThrow('PERSISTED_QUERY_ONLY');
      },
      { manifest: { [MD5]: TEXT } },
    ),
);
