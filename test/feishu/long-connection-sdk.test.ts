/** Pins what src/feishu/long-connection/sdk-internals.ts and sdk-patch.ts were written for. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import type { WSClient } from '@larksuiteoapi/node-sdk';
import { internalsOf, PATCHED_METHODS } from '../../src/feishu/long-connection/sdk-internals.js';
import { loadSdk } from '../../src/feishu/sdk.js';

const require = createRequire(import.meta.url);

/** Methods the patch replaces or calls, and those whose way of calling them it relies on. */
const READ_METHODS = [
  ...PATCHED_METHODS,
  'close',
  'start',
  'reConnect',
  'pullConnectConfig',
  'detachSocket',
  'discardConnection',
];

const PINNED_VERSION = '1.74.0';
const PINNED_SOURCE = 'e43cf8f2b335d575';

function textOf(client: WSClient): string {
  const { wsConfig, dataCache } = internalsOf(client);
  const methods = READ_METHODS.map((name) => `${name}: ${Reflect.get(client, name)}`);
  return [...methods, wsConfig.getWS, wsConfig.updateWs, wsConfig.setWSInstance, dataCache.mergeData].join('\n');
}

describe('the internals of the SDK that the patch relies on', () => {
  const sdk = loadSdk();
  const client = () =>
    new sdk.WSClient({ appId: 'cli_0123456789abcdef', appSecret: 'x', loggerLevel: sdk.LoggerLevel.fatal });

  it('belong to the pinned version', () => {
    const { version } = require('@larksuiteoapi/node-sdk/package.json') as { version: string };
    assert.equal(version, PINNED_VERSION, 'read the new source, mend sdk-patch.ts, then pin the new version here');
  });

  it('have not changed a character', () => {
    const digest = createHash('sha256').update(textOf(client())).digest('hex').slice(0, 16);
    assert.equal(
      digest,
      PINNED_SOURCE,
      'a method of WSClient has changed: read it and mend sdk-patch.ts before pinning',
    );
  });

  it('are found on a client, and a client without them is refused', () => {
    assert.doesNotThrow(() => internalsOf(client()));
    const changed = client();
    Object.assign(changed, { armLiveness: undefined });
    assert.throws(() => internalsOf(changed), /changed/);
    const withoutCache = client();
    Object.assign(withoutCache, { dataCache: {} });
    assert.throws(() => internalsOf(withoutCache), /changed/);
  });
});
