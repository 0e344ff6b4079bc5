import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import {
  ALICE,
  type Answer,
  type Api,
  type CallOptions,
  newApi,
  newClient,
  newGrant,
  newSession,
  newToken,
} from './support.js';

type Json = Readonly<Record<string, unknown>>;
interface Operation extends Json {
  readonly operationId: string;
  readonly security?: readonly Json[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Json }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Json; readonly example?: unknown }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Json }>> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly info: Json;
  readonly security: readonly Json[];
  readonly components: { readonly schemas: Readonly<Record<string, Json>>; readonly securitySchemes: Json };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** CONTRACT §5, as far as it is built, and what operators have besides. */
const CONTRACT = [
  'DELETE /v1/users/{open_id}/token',
  'GET /healthz',
  'GET /metrics',
  'GET /readyz',
  'GET /v1/keys',
  'GET /v1/sessions',
  'GET /v1/sessions/{session_id}',
  'GET /v1/status',
  'GET /v1/users/{open_id}',
  'GET /v1/users/{open_id}/token',
  'POST /v1/sessions',
  'POST /v1/sessions/cleanup',
  'POST /v1/sessions/{session_id}/invalidate',
  'POST /v1/users/{open_id}/token/refresh',
];
const KEYLESS = ['GET /healthz', 'GET /metrics', 'GET /readyz'];

/** The URLs in Fastify's drawing of its tree of routes, four columns per level. */
function urlsOf(tree: string): string[] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, branch = '', part, methods] = /^(.*── )(\S+)( \(.+\))?$/.exec(line) ?? [];
    if (part === undefined) return [];
    above.length = branch.length / 4 - 1;
    above.push(part);
    return methods === undefined ? [] : [above.join('').replace(/:(\w+)/g, '{$1}')];
  });
}

describe('/openapi.json', () => {
  let api: Api;
  let document: Document;
  let operations: readonly (readonly [name: string, path: string, operation: Operation])[];
  /** Only its Ajv is used. */
  let ajv: FastifyInstance;

  before(async () => {
    api = await newApi({ clients: [newClient('boss'), newClient('reader', { actions: ['status'] })] });
    document = (await api.call('GET', '/openapi.json', { as: null })).body as unknown as Document;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, path, operation] as const,
      ),
    );
    const customOptions = { strict: false, coerceTypes: false, removeAdditional: false, useDefaults: false } as const;
    ajv = Fastify({ ajv: { customOptions } });
    ajv.get('/', { schema: { querystring: { type: 'object' } } }, async () => null);
    await ajv.ready();
  });
  after(async () => {
    await api.close();
    await ajv.close();
  });

  /** What is wrong with a value by a schema of the document; null: nothing. */
  const problemsOf = (schema: Json, value: unknown): unknown => {
    const whole = { ...schema, components: document.components };
    const validate = ajv.validatorCompiler?.({ schema: whole, method: 'GET', url: '/', httpPart: 'body' });
    assert.ok(validate !== undefined);
    return validate(value) === true ? null : (validate as { errors?: unknown }).errors;
  };

  it('is OpenAPI 3.1 in structure', () => {
    assert.equal(document.openapi, '3.1.0');
    assert.ok(document.info['title'] && document.info['version']);
    assert.deepEqual(document.components.securitySchemes['apiKey'], {
      type: 'http',
      scheme: 'bearer',
      description: 'A secret of a client',
    });
    const ids = operations.map(([, , operation]) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const [name, path, operation] of operations) {
      for (const [status, response] of Object.entries(operation.responses)) {
        assert.match(status, /^[1-5]\d\d$/);
        assert.ok(typeof (response as Json)['description'] === 'string', `${name} ${status}`);
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      assert.deepEqual(
        declared.map((parameter) => parameter.name),
        inPath,
        name,
      );
      for (const parameter of operation.parameters ?? []) assert.ok(parameter.schema['type'], name);
    }
  });

  it('has no reference that leads nowhere and nothing that is not of 3.1', () => {
    const text = JSON.stringify(document);
    const targets = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = '']) => target);
    assert.ok(targets.length > 20);
    for (const target of targets) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(target)?.[1];
      assert.ok(name !== undefined && name in document.components.schemas, target);
    }
    assert.ok(!text.includes('"nullable"') && !text.includes('"$id"'));
  });

  it('has every call of the contract and every route there is', () => {
    assert.deepEqual(operations.map(([name]) => name).toSorted(), CONTRACT);
    const urls = urlsOf(api.app.printRoutes({ commonPrefix: false }));
    assert.ok(urls.length > 8);
    assert.deepEqual(
      urls.filter((url) => !(url in document.paths) && !url.startsWith('/status-page/')),
      ['/', '/openapi.json'],
    );
  });

  it('says what needs a key and which problems to expect', () => {
    assert.deepEqual(document.security, [{ apiKey: [] }]);
    for (const [name, , operation] of operations) {
      const keyless = KEYLESS.includes(name);
      assert.deepEqual(operation.security, keyless ? [] : undefined, name);
      if (keyless) continue;
      for (const status of ['400', '401', '403', '429', '500', '503']) {
        const content = operation.responses[status]?.content?.['application/problem+json'];
        assert.deepEqual(content?.schema, { $ref: '#/components/schemas/Problem' }, `${name} ${status}`);
      }
    }
  });

  it('has examples that its own schemas accept', () => {
    let examples = 0;
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      assert.ok(Array.isArray(schema['examples']), name);
      for (const example of schema['examples']) {
        assert.equal(problemsOf(schema, example), null, name);
        examples += 1;
      }
    }
    for (const [name, , operation] of operations) {
      for (const { schema, example } of Object.values(operation.requestBody?.content ?? {})) {
        assert.ok(example !== undefined, name);
        assert.equal(problemsOf(schema, example), null, name);
        examples += 1;
      }
    }
    assert.ok(examples >= 9);
  });

  it('names neither the apps nor the clients of this daemon', () => {
    const text = JSON.stringify(document);
    assert.ok(!text.includes('cli_aaaa') && !text.includes('"boss"'));
  });

  describe('describes the real answers:', () => {
    const ID = newSession().sessionId;
    const FAILED = newSession({
      state: 'failed',
      endedAt: 1,
      failureReason: 'internal_error',
      failureDetail: { remedy: 'Call us', for: 'operator' },
    });
    const calls: readonly (readonly [operation: string, status: number, path: string, options?: CallOptions])[] = [
      ['POST /v1/sessions', 201, '/v1/sessions', { body: { open_id: ALICE, metadata: { a: 'b' } } }],
      ['POST /v1/sessions', 400, '/v1/sessions', { body: {} }],
      ['POST /v1/sessions', 401, '/v1/sessions', { body: {}, as: null }],
      ['POST /v1/sessions', 403, '/v1/sessions', { body: { open_id: ALICE }, as: 'reader' }],
      ['POST /v1/sessions', 404, '/v1/sessions', { body: { open_id: ALICE, app_id: 'x' } }],
      ['POST /v1/sessions', 413, '/v1/sessions', { body: ' '.repeat(70_000) }],
      ['POST /v1/sessions', 415, '/v1/sessions', { body: 'x', headers: { 'content-type': 'text/plain' } }],
      ['GET /v1/sessions', 200, '/v1/sessions'],
      ['GET /v1/sessions', 404, '/v1/sessions?app_id=x'],
      ['GET /v1/sessions/{session_id}', 200, `/v1/sessions/${ID}`],
      ['GET /v1/sessions/{session_id}', 404, '/v1/sessions/x'],
      ['POST /v1/sessions/{session_id}/invalidate', 200, `/v1/sessions/${ID}/invalidate`],
      ['POST /v1/sessions/cleanup', 200, '/v1/sessions/cleanup', { body: { expiry_days: 1 } }],
      ['GET /v1/users/{open_id}', 200, `/v1/users/${ALICE}`],
      ['GET /v1/users/{open_id}', 200, '/v1/users/ou_nobody'],
      ['GET /v1/users/{open_id}/token', 200, `/v1/users/${ALICE}/token`],
      ['GET /v1/users/{open_id}/token', 403, `/v1/users/${ALICE}/token?scopes=x`],
      ['GET /v1/users/{open_id}/token', 404, '/v1/users/ou_nobody/token'],
      ['DELETE /v1/users/{open_id}/token', 204, `/v1/users/${ALICE}/token`],
      ['GET /v1/keys', 200, '/v1/keys'],
      ['GET /v1/keys', 403, '/v1/keys', { as: 'reader' }],
      ['GET /v1/status', 200, '/v1/status'],
      ['GET /v1/status', 403, '/v1/status', { as: 'reader' }],
      ['GET /healthz', 200, '/healthz'],
      ['GET /readyz', 200, '/readyz'],
    ];

    const assertDescribed = (name: string, status: number, answer: Answer) => {
      assert.equal(answer.status, status, answer.text);
      const operation = operations.find(([candidate]) => candidate === name)?.[2];
      const response = operation?.responses[String(status)];
      assert.ok(response !== undefined, `${name} ${status} is not described`);
      if (response.content === undefined) return assert.equal(answer.text, '');
      const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
      const schema = response.content[type]?.schema;
      assert.ok(schema !== undefined, `${name} ${status} ${type} is not described`);
      return assert.equal(problemsOf(schema, answer.body), null, answer.text);
    };

    for (const [name, status, path, options] of calls) {
      it(`${name} ${status} (${path.slice(0, 40)})`, async () => {
        api.world.add(FAILED);
        api.world.give(newGrant(), newToken());
        assertDescribed(name, status, await api.call(name.split(' ')[0] ?? '', path, options));
      });
    }

    it('POST /v1/sessions 200 of both kinds', async () => {
      for (const result of [
        { kind: 'live', session: newSession() },
        { kind: 'already_authorized', grant: newGrant() },
      ] as const) {
        api.world.answer = () => result;
        assertDescribed('POST /v1/sessions', 200, await api.call('POST', '/v1/sessions', { body: { open_id: ALICE } }));
      }
    });
  });
});
