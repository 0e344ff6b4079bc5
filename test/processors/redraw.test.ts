/** Open sessions are shown again when what their links are made of has changed. A real Redis. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { redrawLinks } from '../../src/processors/redraw.js';
import { createShownLinks } from '../../src/store/shown-links.js';
import { APP, newStore } from '../store/new-store.js';
import { appConfig } from '../support/feishu-app.js';

describe('links of other settings', () => {
  it('are redrawn for every open session, however many and whenever they are looked at next, and only once', async (t) => {
    const store = await newStore(t);
    const { sessions } = store;
    const made = appConfig('https://open.feishu.cn', { appId: APP, appSecret: 'app-secret' });
    const app = { ...made, authGrant: 'authorization_code' as const };
    const deps = { sessions, shownLinks: createShownLinks(store), keyId: 'k1', logger: pino({ level: 'silent' }) };
    const start = (redirectUri: string) => redrawLinks({ ...deps, redirectUri }, app);
    const ids: string[] = [];
    for (let i = 0; i < 250; i += 1) ids.push(await store.created({ openId: `ou_${i}` }));
    for (const id of ids.slice(100)) await sessions.lookAgain(id, 60_000);
    const [ended = ''] = ids;
    await sessions.invalidate(ended);
    const versions = async () => await Promise.all(ids.map(async (id) => (await sessions.get(id))?.version ?? 0));

    const before = await versions();
    await start('https://one.example/callback');
    assert.deepEqual(await versions(), before, 'what was never noted is no change');
    await start('https://two.example/callback');
    const redrawn = before.map((version, i) => (i === 0 ? version : version + 1));
    assert.deepEqual(await versions(), redrawn);
    await start('https://two.example/callback');
    assert.deepEqual(await versions(), redrawn);
  });
});
