import { beforeAll, describe, expect, it } from 'vitest';
import { describeEachBackend } from '../../support/backend.ts';
import type { Answer } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { badParameter, call, JSON_API, VARIABLES } from './call.ts';
import { A, C, insertListedJobs, NAMES, queriesBy } from './job/listed-job.ts';

describeEachBackend('a list', (backend) => {
  const app = shareApp(backend, VARIABLES);
  beforeAll(() => insertListedJobs(app()));
  const list = (query: string, headers = {}) => call(app(), `GET /jobs?${query}`, { headers });
  const names = ({ body }: Answer) =>
    body.data.map(({ id }: { id: string }) => NAMES.get(id)).join('');
  const listed = async (query: string) => {
    const answer = await list(query);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return names(answer);
  };

  describe('filters', () => {
    it.each([
      ['repeated', 'filter[status__in]=pending&filter[status__in]=running'],
      ['brackets', 'filter[status__in][]=pending&filter[status__in][]=running'],
      ['indices', 'filter[status__in][0]=pending&filter[status__in][1]=running'],
      ['commas', 'filter[status__in]=pending,running'],
      ['encoded commas', 'filter[status__in]=pending%2Crunning'],
      ['encoded brackets', 'filter%5Bstatus__in%5D%5B%5D=pending&filter%5Bstatus__in%5D=running'],
      ['equality of several', 'filter[status][]=pending&filter[status][]=running'],
    ])('§9.3: a list of values, %s', async (_, query) => {
      expect(await listed(query)).toBe('bd');
    });

    it.each([
      ['filter[status]=pending', 'b'],
      ['filter[status]=PENDING', ''],
      ['filter[status__in]=pending', 'b'],
      ['filter[status__in]=', ''],
      ['filter[status__in][]=', ''],
      ['filter[status__neq]=pending', 'acd'],
      ['filter[status__neq][]=pending&filter[status__neq][]=errored', 'ad'],
      ['filter[priority]=5', 'bd'],
      ['filter[priority__gt]=3', 'bd'],
      ['filter[priority__gte]=3', 'abd'],
      ['filter[priority__lt]=3', 'c'],
      ['filter[priority__lte]=3', 'ac'],
      ['filter[priority__in]=1,3', 'ac'],
      ['filter[priority__match]=5', 'bd'],
      ['filter[progress__gte]=0.25', 'ad'],
      ['filter[progress]=1', 'a'],
      ['filter[retry_count]=2&filter[priority]=1', 'c'],
      ['filter[retry_count]=2&filter[priority]=5', ''],
      [`filter[id]=${A.toUpperCase()}`, 'a'],
      [`filter[id__in][]=${A}&filter[id__in][]=${C}`, 'ac'],
      ['filter[id__suffix]=0d', 'd'],
      ['filter[status__prefix]=PEND', 'b'],
      ['filter[status__suffix]=ed', 'ac'],
      ['filter[status__contains]=un', 'd'],
      ['filter[unicity__match]=é', 'a'],
      ['filter[error__match]=100%25_%5C', 'b'],
      ['filter[error__match]=_', 'b'],
      ['filter[error]=b,c', 'c'],
      ['filter[scheduled_at]=2026-01-04', 'd'],
      ['filter[scheduled_at__gte]=2026-01-02T10:00:00Z', 'bcd'],
      ['filter[scheduled_at__gt]=2026-01-02T12:00:00%2B02:00', 'cd'],
      ['filter[scheduled_at__gt]=2026-01-02T12:00:00+02:00', 'cd'],
      ['filter[scheduled_at__lte]=2026-01-02 10:00:00 %2B0000', 'ab'],
      ['filter[scheduled_at__lt]=2026-01-02T10:00:00.001Z', 'ab'],
      ['filter[scheduled_at__prefix]=2026-01-02t10:00:00.000z', 'b'],
      ['filter[created_at]=2026-01-01&filter[updated_at]=2026-01-01', 'abcd'],
    ])('%s lists %s', async (query, expected) => {
      expect(await listed(query)).toBe(expected);
    });

    it.each(
      queriesBy({
        a: [
          'filter[error]',
          'filter[error]=null',
          'filter[error__exists]=0',
          'filter[error__exists]=false',
        ],
        d: ['filter[error]='],
        bcd: ['filter[error__neq]', 'filter[error__exists]=true'],
        bc: ['filter[error__neq]='],
        ad: ['filter[error__in][]=null&filter[error__in][]='],
        '': ['filter[status]=null'],
      }),
    )('§9.8: null differs from the empty text: %s lists %s', async (query, expected) => {
      expect(await listed(query)).toBe(expected);
    });

    it.each([
      'filter[priority]=abc',
      'filter[priority]=1.5',
      'filter[priority]=99999999999999999999',
      'filter[progress]=half',
      'filter[scheduled_at__gte]=x',
      'filter[scheduled_at]=2026-02-30',
      'filter[id]=abc',
      'filter[priority__in]=1,x',
      'filter[status__prefix]=a&filter[status__prefix]=b',
      'filter[status][eq]=a',
    ])('§9.7: %s is refused with its name', async (query) => {
      const [name] = query.split('=');
      expect(await list(query)).toMatchObject(badParameter(name!.replace('[eq]', '')));
    });

    it('more conditions, values or text than a search may have are refused', async () => {
      const operators = ['gt', 'gte', 'lt', 'lte', 'neq', 'exists'];
      const fields = ['priority', 'retry_count', 'progress', 'status'];
      const all = fields.flatMap((field) =>
        operators.map((operator) => `filter[${field}__${operator}]=1`),
      );
      expect(await list(all.slice(0, 18).join('&'))).toMatchObject({ status: 200 });
      expect(await list(all.slice(0, 21).join('&'))).toMatchObject(badParameter('filter'));
      const values = (count: number) => `filter[status__in]=${'a,'.repeat(count - 1)}a`;
      expect(await list(values(200))).toMatchObject({ status: 200 });
      expect(await list(values(201))).toMatchObject(badParameter('filter[status]'));
      const text = (length: number) => `filter[error__match]=${'a'.repeat(length)}`;
      expect(await list(text(500))).toMatchObject({ status: 200 });
      expect(await list(text(501))).toMatchObject(badParameter('filter[error]'));
    });

    it('filter=x is refused, because it names no attribute', async () => {
      expect(await list('filter=x')).toMatchObject(badParameter('filter'));
    });

    it.each([
      ['filter[stauts]=a', 'filter[stauts]', 'status'],
      ['filter[status__int]=a', 'filter[status__int]', 'status__in'],
      ['filter[priority_gte]=1', 'filter[priority_gte]', 'priority__gte'],
      ['filter[arguments]=1', 'filter[arguments]', null],
      ['filter[status=a', 'filter[status', null],
      ['filter[toString]=a', 'filter[toString]', null],
    ])('an unknown key is refused: %s', async (query, parameter, meant) => {
      const answer = await list(query);
      expect(answer).toMatchObject(badParameter(parameter, 400));
      if (meant !== null)
        expect(answer.body.errors[0].detail).toContain(`did you mean "${meant}"?`);
    });

    it('a refusal names at most 20 of a thousand faults', async () => {
      const filters = Array.from({ length: 1000 }, (_, at) => `filter[a${at}]`);
      const answer = await list(filters.join('&'));
      expect([answer.status, answer.body.errors.length]).toEqual([400, 20]);
    });

    it('Prefer: handling=lenient ignores unknown keys, and the response names them', async () => {
      const query = 'filter[stauts]=a&filter[status]=pending';
      const answer = await list(query, { prefer: 'respond-async, handling=lenient' });
      expect(answer.status).toBe(200);
      expect(names(answer)).toBe('b');
      expect(answer.body.meta).toEqual({ ignored: ['filter[stauts]'] });
      expect(answer.headers.get('preference-applied')).toBe('handling=lenient');
    });

    it('reports all faults of a request at once', async () => {
      const query = 'page[size]=0&filter[priority]=x&count=maybe&included[]=a';
      const { status, body } = await list(query);
      const sources = body.errors.map(({ source }: { source: object }) => source);
      const names = ['page[size]', 'count', 'filter[priority]', 'included'];
      expect([status, sources]).toEqual([422, names.map((parameter) => ({ parameter }))]);
      expect((await list(`${query}&sort=nope`)).status).toBe(400);
    });
  });

  describe('order', () => {
    it.each(
      queriesBy({
        abcd: ['', 'sort=', 'sort=created_at,updated_at'],
        dcba: ['sort=-id'],
        cabd: ['sort=priority'],
        cadb: ['sort=priority,-status'],
        bdac: ['sort=-priority,scheduled_at'],
        // Ties follow the direction of the last key.
        dbac: ['sort=-priority&sort=-scheduled_at', 'sort=,-priority,,'],
        dbca: ['sort=error'],
        acbd: ['sort=-error'],
      }),
    )('§9.4: %s returns %s', async (query, expected) => {
      expect(await listed(query)).toBe(expected);
    });

    it('§9.4: an unknown key is 400, with a suggestion', async () => {
      const answer = await list('sort=status,prioritty');
      expect(answer).toMatchObject(badParameter('sort', 400));
      expect(answer.body.errors[0].detail).toContain('did you mean "priority"?');
      expect((await list('sort=arguments')).status).toBe(400);
    });
  });

  describe('pages', () => {
    it.each([
      ['page[size]=0', 'page[size]'],
      ['page[size]=1001', 'page[size]'],
      ['page[size]=abc', 'page[size]'],
      ['page[size]=1.5', 'page[size]'],
      ['page%5Bsize%5D=', 'page[size]'],
      ['page[number]=0', 'page[number]'],
      ['page[number]=-1', 'page[number]'],
      ['page=2', 'page'],
    ])('§9.5: %s is 422', async (query, parameter) => {
      expect(await list(query)).toMatchObject(badParameter(parameter));
    });

    it('§9.5: a size of 1000 is accepted, and other ways of paging are refused', async () => {
      expect(await listed('page[size]=1000')).toBe('abcd');
      expect(await list('page[limit]=2')).toMatchObject(badParameter('page[limit]', 400));
    });

    it('§9.5: a page past the end is empty, and the count is exact', async () => {
      const { body } = await list('page[size]=2&page[number]=9007199254740991&count=true');
      expect(body).toMatchObject({ data: [], meta: { count: 4, more: false } });
    });

    it('`count=true` returns the number of matching jobs; without it, no count is computed', async () => {
      const count = async (query: string) => {
        app().statements.length = 0;
        const { body } = await list(query);
        return [body.meta, app().statements.length];
      };
      const [meta, statements] = await count('page[size]=3&filter[priority__gte]=3&count=true');
      expect(meta).toEqual({ count: 3, more: false });
      expect(await count('page[size]=3&filter[priority__gte]=3')).toEqual([
        {},
        // The count itself, and what finds an index for it.
        Number(statements) - 2,
      ]);
      expect((await count('page[size]=3&count=true'))[0]).toEqual({ count: 4, more: true });
    });

    it.each([
      ['true', true],
      ['T', true],
      ['y', true],
      ['yes', true],
      ['1', true],
      ['ON', true],
      ['false', false],
      ['f', false],
      ['n', false],
      ['no', false],
      ['0', false],
      ['off', false],
      ['', false],
    ])('§9.6: count=%s', async (word, isCounted) => {
      const { body } = await list(`count=${word}`);
      expect(body.meta).toEqual(isCounted ? { count: 4, more: false } : {});
    });

    it('§9.6: any other value returns 422', async () => {
      expect(await list('count=maybe')).toMatchObject(badParameter('count'));
    });

    it('links keep all other parameters, and following them visits the whole list', async () => {
      const query = 'page[size]=3&filter%5Bpriority__gte%5D=1&sort=-id&count=true&_=a%20b';
      const first = (await list(query)).body;
      expect(first.links.prev).toBeNull();
      expect(first.links.self).toBe(`${app().url}/jobs?${query}`);
      const second = await call(app(), `GET ${first.links.next.slice(app().url.length)}`);
      expect(names(second)).toBe('a');
      const pairs = [...new URL(first.links.next).searchParams];
      expect(Object.fromEntries(pairs)).toEqual({
        'page[size]': '3',
        'filter[priority__gte]': '1',
        sort: '-id',
        count: 'true',
        _: 'a b',
        'page[number]': '2',
      });
      expect(second.body.links).toMatchObject({
        self: first.links.next,
        first: first.links.first,
        prev: first.links.first,
        next: null,
        last: first.links.last,
      });
      expect(first.links.last).toBe(first.links.next);
    });

    it('the last page is linked if the list was counted, and on the last page itself', async () => {
      expect((await list('page[size]=2')).body.links.last).toBeNull();
      expect((await list('page[size]=2&page[number]=2')).body.links.last).toContain('=2');
      const past = (await list('page[size]=2&page[number]=7&count=1')).body.links;
      expect(
        [past.prev, past.last].map((link) => new URL(link).searchParams.get('page[number]')),
      ).toEqual(['2', '2']);
    });
  });

  describe('fields', () => {
    const ATTRIBUTES = { status: 'completed', progress: 1 };
    it.each([
      'fields[media:jobs]=status,progress',
      'fields[media%3Ajobs]=progress%2Cstatus',
      'fields[media:jobs][]=status&fields[media:jobs][]=progress',
      'fields[media:jobs][0]=status&fields[media:jobs][1]=progress',
      'fields[media:jobs]=status&fields[media:jobs]=progress',
      'fields=status,progress',
      'fields[media:jobs]=status,progress,nope,id&fields[other]=error',
    ])('%s', async (query) => {
      const { body } = await list(`${query}&filter[id]=${A}`);
      expect(body.data).toEqual([{ type: 'media:jobs', id: A, attributes: ATTRIBUTES }]);
      expect(Object.keys(body.data[0].attributes)).toEqual(['status', 'progress']);
    });

    it.each(['fields[media:jobs]=', 'fields[media:jobs][]=', 'fields[media:jobs]', 'fields=id'])(
      '%s selects no attributes',
      async (query) => {
        expect((await list(`${query}&filter[id]=${A}`)).body.data[0].attributes).toEqual({});
      },
    );

    it('of another type have no effect', async () => {
      const { body } = await list(`fields[jobs]=status&filter[id]=${A}`);
      expect(Object.keys(body.data[0].attributes)).toHaveLength(11);
    });
  });

  it('§1.4: a job has the shape that the contract defines', async () => {
    const { body } = await call(app(), `GET /jobs/${C}`);
    expect(body).toEqual({
      data: {
        type: 'media:jobs',
        id: C,
        attributes: {
          job_class: 'sweep',
          arguments: {},
          priority: 1,
          status: 'errored',
          progress: 0,
          retry_count: 2,
          error: 'b,c',
          unicity: null,
          scheduled_at: '2026-01-03T00:00:00.000Z',
          created_at: '2026-01-01T00:00:00.000Z',
          updated_at: '2026-01-01T00:00:00.000Z',
        },
      },
    });
    expect(Object.keys(body.data.attributes)).toEqual([
      'job_class',
      'arguments',
      'priority',
      'status',
      'progress',
      'retry_count',
      'error',
      'unicity',
      'scheduled_at',
      'created_at',
      'updated_at',
    ]);
  });

  it.each(['GET /jobs', `GET /jobs/${A}`])(
    '§2.5: nothing can be included with %s',
    async (line) => {
      expect((await call(app(), `${line}?include=`)).body.included).toEqual([]);
      expect((await call(app(), `${line}?included[]=`)).body.included).toEqual([]);
      expect((await call(app(), line)).body.included).toBeUndefined();
      expect(await call(app(), `${line}?include=a`)).toMatchObject(badParameter('include', 400));
      expect(await call(app(), `${line}?included=a`)).toMatchObject(badParameter('included'));
    },
  );

  it('is the same below /api/v1/media, and links stay there', async () => {
    const answer = await call(app(), 'GET /api/v1/media/jobs?page[size]=1');
    expect(answer.status).toBe(200);
    expect(answer.body.links.next).toMatch(`${app().url}/api/v1/media/jobs?page`);
    const head = await call(app(), 'HEAD /api/v1/media/jobs');
    expect([head.status, head.headers.get('content-type')]).toEqual([200, JSON_API]);
  });

  it('a query with malformed percent-encoding is 400', async () => {
    expect(await list('filter[status]=%zz')).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'malformed_query', source: { parameter: 'filter[status]' } }] },
    });
    expect((await list('filter[stat%FFus]=a')).status).toBe(400);
  });
});
