import type { FastifyInstance } from 'fastify';
import { bodyType } from '../../http/body.ts';
import { HttpError } from '../../http/http-error.ts';
import { expectSmallBody } from '../../http/slow-body.ts';
import { checkJsonShape } from '../../lib/json.ts';

/** Makes the routes of GraphQL read bodies of JSON; those of multipart requests are left to their handler. */
export function readJsonBodies(server: FastifyInstance): void {
  // Fastify keeps a JSON body in memory, so it is small. The body of a multipart request is read while the operation
  // runs.
  server.addHook('preParsing', ({ raw, headers }, _reply, _payload, done) => {
    if (bodyType(headers) === 'application/json') expectSmallBody(raw);
    done();
  });
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      try {
        checkJsonShape(body);
      } catch (error) {
        return void done(new HttpError(400, 'BAD_REQUEST', `${(error as Error).message}.`));
      }
      parseJson(request, body, done);
    },
  );
  server.addContentTypeParser('multipart/form-data', (_request, _body, done) => done(null));
}
