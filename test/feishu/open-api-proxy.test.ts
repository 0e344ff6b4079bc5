import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FeishuError } from '../../src/domain/feishu-error.js';
import { sendOnce } from '../../src/feishu/open-api/send.js';
import { createDispatcher } from '../../src/feishu/proxy.js';
import { startConnectProxy } from '../support/connect-proxy.js';

it('a call through a proxy that never answers ends at its deadline, and was surely not sent', async (t) => {
  const proxy = await startConnectProxy();
  t.after(() => proxy.close());
  proxy.behave({ hang: true });
  const url = 'http://feishu.invalid/open-apis/x';
  const dispatcher = createDispatcher(url, { httpsProxy: null, httpProxy: proxy.url, noProxy: null });
  t.after(() => dispatcher.destroy());
  const request = {
    api: 'oauth.token',
    appId: 'cli_0',
    limits: null,
    method: 'POST',
    url,
    headers: {},
    body: '{}',
  } as const;
  const startedAt = performance.now();
  await assert.rejects(
    () => sendOnce(dispatcher, { ...request, timeoutMs: 200, repeatable: false }),
    (error) => error instanceof FeishuError && error.kind === 'transient',
  );
  assert.ok(performance.now() - startedAt < 2_000);
});
