import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { API_SECRET, APP_ID, loadWith, OTHER_APP_ID, variablesOf } from './load-support.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const client = { id: 'crm', secret_sha256: [sha256('one')] };

const loadClients = (clients: unknown, env = {}) => loadWith(env, { file: { clients } });

describe('clients of CONFIG_FILE', () => {
  it('have names, secrets and limits', () => {
    const { config } = loadClients([
      {
        id: 'crm',
        display_name: { zh_cn: '客户系统', en_us: 'CRM' },
        secret_sha256: [sha256('one').toUpperCase(), sha256('two')],
        apps: [APP_ID],
        scopes: ['docs:read'],
        actions: ['ask', 'token'],
      },
    ]);
    assert.deepEqual(config.clients, [
      {
        id: 'crm',
        displayName: { zh_cn: '客户系统', en_us: 'CRM' },
        secretSha256: [sha256('one'), sha256('two')],
        apps: [APP_ID],
        // Added to every request, so that it must be allowed.
        scopes: ['docs:read', 'offline_access'],
        actions: ['ask', 'token'],
      },
    ]);
  });

  it('without limits may use every app and scope, but are no admins', () => {
    const [crm] = loadClients([client]).config.clients;
    assert.deepEqual([crm?.apps, crm?.scopes, crm?.displayName], [null, null, null]);
    assert.deepEqual(crm?.actions, ['ask', 'status', 'token', 'revoke']);
  });

  it('stand beside those of API_KEYS', () => {
    const { config } = loadClients([client], { API_KEYS: `ops:${API_SECRET}` });
    assert.deepEqual(
      config.clients.map(({ id }) => id),
      ['ops', 'crm'],
    );
  });

  const refused: [what: string, clients: unknown, variables: string[]][] = [
    ['no list', {}, ['clients']],
    ['no object', ['crm'], ['clients[0]']],
    ['an unknown key', [{ ...client, secret: 'x' }], ['clients[0]."secret"']],
    ['a secret instead of its digest', [{ ...client, secret_sha256: ['hunter2'] }], ['clients[0].secret_sha256']],
    ['no digest', [{ ...client, secret_sha256: [] }], ['clients[0].secret_sha256']],
    ['a digest as text', [{ ...client, secret_sha256: sha256('one') }], ['clients[0].secret_sha256']],
    ['two of one id', [client, { ...client, secret_sha256: [sha256('x')] }], ['clients[1].id']],
    ['two with one secret', [client, { ...client, id: 'bi' }], ['clients[1].secret_sha256']],
    ['an unknown app', [{ ...client, apps: [OTHER_APP_ID] }], ['clients[0].apps']],
    ['a bad scope', [{ ...client, scopes: ['a b'] }], ['clients[0].scopes']],
    ['an unknown action', [{ ...client, actions: ['delete'] }], ['clients[0].actions']],
    ['half a name', [{ ...client, display_name: { en_us: 'CRM' } }], ['clients[0].display_name.zh_cn']],
    [
      'a name that hides its direction',
      [{ ...client, display_name: { en_us: 'CRM\u202E', zh_cn: '客' } }],
      ['clients[0].display_name.en_us'],
    ],
  ];
  for (const [what, clients, variables] of refused) {
    it(`are refused with ${what}`, () => {
      assert.deepEqual(
        variablesOf(() => loadClients(clients)),
        variables,
      );
    });
  }

  it('may not share a secret with a key of API_KEYS', () => {
    const shared = [{ ...client, secret_sha256: [sha256(API_SECRET)] }];
    assert.deepEqual(
      variablesOf(() => loadClients(shared, { API_KEYS: `ops:${API_SECRET}` })),
      ['clients[0].secret_sha256'],
    );
  });
});
