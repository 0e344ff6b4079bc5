/** Two servers that hand out the same users' tokens: the daemon, and the baseline with one plain GET (bare-reader.ts). */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ClientConfig } from '../../src/config/config.js';
import type { App } from '../simulator/directory.js';
import type { BenchContext } from './benchmark.js';
import { type Child, startChild } from './child.js';
import { type BenchDaemon, type Reader, startDaemon } from './daemon-process.js';
import { randomTokenSet, storeGrants } from './grants-at-hand.js';
import type { BenchScene } from './scene.js';

export interface BareReaderOptions {
  readonly redisUrl: string;
  readonly clients: readonly ClientConfig[];
}

export interface Reading {
  readonly daemon: BenchDaemon;
  readonly bare: { readonly process: Child; readonly port: number };
  readonly openIds: readonly string[];
  readonly readers: readonly Reader[];
}

const LISTEN_LIMIT_MS = 30_000;

/** `readers`: one client may call 1,200 times in 10 s. */
export async function startReading(
  context: BenchContext,
  scene: BenchScene,
  counts: { readonly users: number; readonly readers: number },
): Promise<Reading> {
  const { redis, sim } = scene;
  const [app] = scene.apps as [App];
  const readers = Array.from({ length: counts.readers }, (_, i) => ({
    id: `reader-${i}`,
    secret: randomBytes(24).toString('hex'),
  }));
  const openIds = Array.from({ length: counts.users }, () => `ou_${randomBytes(16).toString('hex')}`);
  const grants = openIds.map((openId) => ({
    appId: app.appId,
    openId,
    tokens: randomTokenSet(),
    dueAt: Date.now() + 86_400_000,
  }));
  await storeGrants(redis, grants);
  const answers = redis.client.pipeline();
  for (const { openId, tokens } of grants) {
    const { accessToken, expiresAt, expiresIn, scopes, tokenType } = tokens;
    const answer = {
      access_token: accessToken,
      token_type: tokenType,
      expires_at: new Date(expiresAt).toISOString(),
      expires_in: expiresIn,
      scopes,
    };
    answers.set(`bare:${openId}`, JSON.stringify(answer));
  }
  await answers.exec();
  const daemon = await startDaemon(context, { feishuUrl: sim.baseUrl, redisUrl: redis.url, apps: [app], readers });
  return { daemon, bare: await startBareReader(context, redis.url, readers), openIds, readers };
}

async function startBareReader(context: BenchContext, redisUrl: string, readers: readonly Reader[]) {
  const clients = readers.map(
    ({ id, secret }): ClientConfig => ({
      id,
      displayName: null,
      secretSha256: [createHash('sha256').update(secret).digest('hex')],
      apps: null,
      scopes: null,
      actions: ['token'],
    }),
  );
  const options: BareReaderOptions = { redisUrl, clients };
  const child = startChild(context, {
    name: 'bare-reader',
    args: ['--import', 'tsx', join(import.meta.dirname, 'bare-reader.ts'), JSON.stringify(options)],
    env: {},
    takesOrders: true,
  });
  return { process: child, port: Number(await child.order('listen', LISTEN_LIMIT_MS)) };
}
