import {
  type ConcreteRequest,
  Environment,
  type FetchFunction,
  fetchQuery,
  Network,
  RecordSource,
  Store,
} from 'relay-runtime';

/** Sends the parameters that Relay's compiler has written. */
export type RelaySend = (
  params: { id: string | null; text: string | null },
  variables: object,
) => Promise<object>;

/** Runs a request in Relay's runtime, as `useLazyLoadQuery` does, and returns its data. */
export async function askRelay(send: RelaySend, request: ConcreteRequest): Promise<unknown> {
  const fetchFunction: FetchFunction = ({ id, text }, variables) =>
    send({ id: id ?? null, text: text ?? null }, variables) as never;
  const network = Network.create(fetchFunction);
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  return fetchQuery(environment, request, {}).toPromise();
}

const scalar = (name: string) => ({
  ...{ alias: null, args: null, kind: 'ScalarField', name, storageKey: null },
});
const linked = (name: string, type: string, plural: boolean, selections: object[]) => ({
  ...{ alias: null, args: null, concreteType: type, kind: 'LinkedField', name, plural },
  ...{ selections, storageKey: null },
});

/** Returns what Relay's compiler writes for a query. `params`: with `persistConfig` an `id`, without it the `text`. */
function toRequest(name: string, selections: object[], params: object): ConcreteRequest {
  const fragment = { argumentDefinitions: [], kind: 'Fragment', metadata: null, name, selections };
  return {
    kind: 'Request',
    fragment: { ...fragment, type: 'Query', abstractKey: null },
    operation: { argumentDefinitions: [], kind: 'Operation', name, selections },
    params: {
      ...{ name, operationKind: 'query', metadata: {}, cacheID: name, id: null, text: null },
      ...params,
    },
  } as unknown as ConcreteRequest;
}

/** The document of `viewerRequest`. */
export const VIEWER_TEXT = 'query ViewerQuery { viewer { kind } }';

/** Returns the request of `VIEWER_TEXT`. */
export function viewerRequest(params: object): ConcreteRequest {
  return toRequest('ViewerQuery', [linked('viewer', 'Viewer', false, [scalar('kind')])], params);
}

/** Returns a request for the tags, a connection. */
export function tagsRequest(): ConcreteRequest {
  const text = 'query TagsQuery { tags(orderBy: NAME) { edges { node { name id } cursor } } }';
  const node = linked('node', 'Tag', false, [scalar('name'), scalar('id')]);
  const edges = linked('edges', 'TagEdge', true, [node, scalar('cursor')]);
  const tags = {
    ...linked('tags', 'TagConnection', false, [edges]),
    args: [{ kind: 'Literal', name: 'orderBy', value: 'NAME' }],
    storageKey: 'tags(orderBy:"NAME")',
  };
  return toRequest('TagsQuery', [tags], { text });
}
