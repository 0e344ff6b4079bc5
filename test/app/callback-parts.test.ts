import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildCallback, type CallbackPartsDeps } from '../../src/app/callback-parts.js';
import { closeServers, listen } from '../../src/app/http-parts.js';
import type { ReceiveRedirect } from '../../src/domain/redirect.js';
import { AuthdError } from '../../src/errors.js';
import type { CardSet } from '../../src/feishu/cards/card-set.js';
import { loadCards } from '../../src/feishu/cards/load-cards.js';
import { type CapturedLog, captureLog } from '../support/captured-log.js';
import { newMetrics } from '../support/metrics.js';

type PartsConfig = CallbackPartsDeps['config'];

const CONFIG: PartsConfig = {
  callbackServer: { enabled: true, host: '127.0.0.1', port: 0, trustedProxies: [] },
  http: { host: '127.0.0.1', port: 0, tls: null, allowPlaintext: false },
  oauthRedirectUri: 'https://auth.example.com:8443/feishu/callback?from=feishu',
  roles: ['api'],
  shutdownTimeoutSeconds: 8,
};

describe('the callback server of a process', () => {
  let cards: CardSet;
  before(async () => {
    cards = await loadCards(fileURLToPath(new URL('../../cards', import.meta.url)));
  });

  const build = (
    config: PartsConfig,
    { logger }: CapturedLog,
    receiveRedirect: ReceiveRedirect = async () => ({ kind: 'invalid' }),
  ) =>
    buildCallback({
      config,
      cards,
      receiveRedirect,
      links: { open: () => null },
      metrics: newMetrics().counts,
      logger,
    });

  it('listens at its own address, at /callback and at the path that is registered, and says so in one line', async () => {
    const log = captureLog();
    const servers = await build(CONFIG, log);
    await listen(servers, CONFIG.callbackServer.host, log.logger);
    const [line, ...others] = log.of('http.listening');
    assert.deepEqual(
      [line?.['server'], line?.['host'], line?.['paths'], others],
      ['callback', '127.0.0.1', ['/callback', '/feishu/callback'], []],
    );
    for (const path of ['/callback', '/feishu/callback?from=feishu']) {
      const response = await fetch(`http://127.0.0.1:${line?.['port']}${path}`);
      assert.deepEqual([response.status, response.headers.get('x-feishu-authd')], [400, 'callback']);
    }
    await closeServers(servers);
  });

  it("is not there when it is not enabled, or the API is not this process's role", async () => {
    const off = { ...CONFIG, callbackServer: { ...CONFIG.callbackServer, enabled: false } };
    assert.deepEqual(await build(off, captureLog()), []);
    assert.deepEqual(await build({ ...CONFIG, roles: ['worker', 'gateway'] }, captureLog()), []);
  });

  it('closes within its part of SHUTDOWN_TIMEOUT, pages that wait answered', async () => {
    const log = captureLog();
    let arrived = (): void => undefined;
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const servers = await build({ ...CONFIG, shutdownTimeoutSeconds: 3 }, log, () => {
      arrived();
      return new Promise(() => undefined);
    });
    await listen(servers, '127.0.0.1', log.logger);
    const page = fetch(`http://127.0.0.1:${log.of('http.listening')[0]?.['port']}/callback?code=c&state=s`);
    await waiting;
    const before = performance.now();
    await closeServers(servers);
    assert.ok(performance.now() - before < 2_900);
    assert.equal((await page).status, 200);
  });

  it('names its variable when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const log = captureLog();
    const servers = await build({ ...CONFIG, callbackServer: { ...CONFIG.callbackServer, port } }, log);
    await assert.rejects(
      listen(servers, '127.0.0.1', log.logger),
      (error) => error instanceof AuthdError && /^CALLBACK_SERVER_PORT: cannot listen on/.test(error.message),
    );
    await closeServers(servers);
    other.close();
  });
});
