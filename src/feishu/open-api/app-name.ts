/**
 * The app's own name, for cards that ask in its name (FEISHU.md §9, application scopes call). A nicety: it needs a
 * permission many apps do not have, so a failure is an answer (null) and is not asked about again for a while.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AppConfig } from '../../config/config.js';
import { TIER_4 } from '../../domain/call-budget.js';
import { FeishuError } from '../../domain/feishu-error.js';
import { objectOf, textOf } from '../../domain/json-fields.js';
import { judgeReply } from './judge.js';
import type { TenantCall } from './tenant-call.js';

export interface AppNameDeps {
  readonly app: AppConfig;
  readonly tenantCall: TenantCall;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Nobody waits longer than this for a name; a late answer serves the next one who asks. */
  readonly timeoutMs: number;
}

const CALL = { api: 'application.get', repeatable: true, codes: {} } as const;
const KNOWN_FOR_MS = 6 * 3_600_000;
const UNKNOWN_FOR_MS = 10 * 60_000;
const LONGEST_NAME = 100;

/** Never rejects. null: not known, or not in time. */
export function createAppName(deps: AppNameDeps): () => Promise<string | null> {
  const { app, clock, logger, tenantCall } = deps;
  let last: { readonly name: string | null; readonly until: number } | null = null;
  let inFlight: Promise<string | null> | null = null;

  return () => {
    if (last !== null && clock() < last.until) return Promise.resolve(last.name);
    inFlight ??= look().finally(() => {
      inFlight = null;
    });
    return Promise.race([inFlight, sleep(deps.timeoutMs, last?.name ?? null, { ref: false })]);
  };

  async function look(): Promise<string | null> {
    // A name once known is better than none.
    const name = (await ask().catch(unknown)) ?? last?.name ?? null;
    last = { name, until: clock() + (name === null ? UNKNOWN_FOR_MS : KNOWN_FOR_MS) };
    return name;
  }

  function unknown(error: unknown): null {
    const line = { event: 'feishu.app_name_unknown', app_id: app.appId };
    const code = error instanceof FeishuError ? (error.feishuCode ?? undefined) : undefined;
    logger.debug({ ...line, feishu_code: code, err: error }, "The app's name could not be looked up");
    return null;
  }

  async function ask(): Promise<string | null> {
    const reply = await tenantCall({
      api: CALL.api,
      appId: app.appId,
      limits: { ...TIER_4, maxWaitMs: 0 },
      method: 'GET',
      url: `${app.openBaseUrl}/open-apis/application/v6/applications/${encodeURIComponent(app.appId)}?lang=zh_cn`,
      headers: {},
      body: null,
      timeoutMs: deps.timeoutMs,
      repeatable: CALL.repeatable,
    });
    const name = textOf(objectOf(objectOf(judgeReply(reply, CALL)['data'])['app'])['app_name']);
    return name === null ? null : [...name].slice(0, LONGEST_NAME).join('');
  }
}
