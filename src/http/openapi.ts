/**
 * The OpenAPI 3.1 document at `/openapi.json`, made of the routes' own schemas. It names no app and no client, so it
 * needs no key.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { sharedSchemas } from './components.js';

const DESCRIPTION = `Asks Feishu users for authorizations and hands their access tokens to the services of a company.

Errors are problem documents (RFC 9457) with a stable \`code\` and, where someone can act, \`next\`: \`ask\` the user,
\`wait\` and repeat, or call the \`operator\`. Unknown fields and wrong types are refused. What HTTP itself has a status
for (404 for an unknown path, 405, 408, 414, 415, 431) has the code \`invalid_request\`.`;

/** Call it before the routes are added: it collects them as they come. */
export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of sharedSchemas) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'feishu-authd', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      tags: [
        { name: 'sessions', description: 'Attempts of users to authorize an app for a client' },
        { name: 'users', description: 'What users have authorized, and their tokens' },
        { name: 'keys', description: 'The encryption keys of what is stored' },
        { name: 'status', description: 'What the fleet does, for people' },
        { name: 'health', description: 'For probes' },
      ],
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'A secret of a client' } },
      },
      security: [{ apiKey: [] }],
    },
    // 3.1 has `const`; a name says more than def-0.
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => nameOf(json) ?? `def-${index}` },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

const nameOf = ({ $id }: { readonly $id?: unknown }): string | null => (typeof $id === 'string' ? $id : null);
