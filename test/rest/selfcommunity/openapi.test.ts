import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../../src/rest/selfcommunity/route-table.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { createAnswerCheck, loadDocument } from '../../support/openapi.ts';

const PATH = '/api/v2/openapi.json';
const withDocument = (
  work: (document: Awaited<ReturnType<typeof loadDocument>>, app: TestApp) => unknown,
  variables = {},
) => withApp(BACKENDS[0]!, async (app) => work(await loadDocument(app.url + PATH), app), variables);

describe('the OpenAPI document of the SelfCommunity dialect', () => {
  test('is valid OpenAPI 3.1, and its schemas are valid JSON Schema', () =>
    withDocument(async (document) => {
      const validator = new Validator();
      expect(await validator.validate({ ...structuredClone(document) })).toEqual({ valid: true });
      expect(validator.version).toBe('3.1');
      expect(() => createAnswerCheck(document)).not.toThrow();
    }));

  test('has every route that is served, and no other', () =>
    withDocument(({ paths }) => {
      const documented = Object.entries(paths).flatMap(([path, item]) =>
        Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
      );
      const served = ROUTES.map(({ method, path }) => `${method} ${path.replace(':id', '{id}')}`);
      expect(documented.toSorted()).toEqual(served.toSorted());
    }));

  test('each of its operations is served by the process that sends it', () =>
    withDocument(async ({ paths }, app) => {
      for (const [path, item] of Object.entries(paths)) {
        for (const method of Object.keys(item)) {
          const answer = await app.fetch(`/api/v2${path.replace('{id}', '9')}`, {
            method: method.toUpperCase(),
          });
          expect([path, method, answer.status]).not.toEqual([path, method, 405]);
          expect(answer.status).toBeLessThan(500);
        }
      }
    }));

  test('its links begin with the host that the client named', () =>
    withDocument(({ servers }, { url }) => {
      expect(servers).toEqual([{ url: `${url}/api/v2` }]);
    }));

  test('has an id of its own for each operation', () =>
    withDocument(({ paths }) => {
      const ids = Object.values(paths).flatMap((item) =>
        Object.values(item).map(({ operationId }) => operationId),
      );
      expect(new Set(ids).size).toBe(ids.length);
    }));

  test('needs no credential, and says which operations need one under the server’s settings', () =>
    withDocument(
      async (document, app) => {
        expect((await app.fetch(PATH)).status).toBe(200);
        const security = Object.values(document.paths['/tag/']!).map((operation) =>
          JSON.stringify((operation as unknown as { security: object[] }).security[0]),
        );
        expect(security).toEqual(['{}', '{"token":[]}']);
      },
      { TRIVIUM_AUTH: 'required' },
    ));
});
