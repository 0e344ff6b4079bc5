/**
 * After a change of the app's grant, its addresses or the key that signs: every open session is shown again, with a link that works. Runs once
 * when a worker starts; what was not noted before a crash is done again by the next one.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../config/config.js';
import type { SessionStore } from '../store/session-store.js';
import type { ShownLinks } from '../store/shown-links.js';

export interface RedrawDeps {
  readonly sessions: Pick<SessionStore, 'open'>;
  readonly shownLinks: ShownLinks;
  readonly redirectUri: string | null;
  /** Id of the key that signs links. */
  readonly keyId: string | undefined;
  readonly logger: Logger;
}

const BATCH = 100;

export async function redrawLinks(deps: RedrawDeps, app: AppConfig): Promise<void> {
  const { logger, shownLinks } = deps;
  const { appId } = app;
  const madeOf = whatLinksAreMadeOf(app, deps);
  const before = await shownLinks.madeOf(appId);
  if (before === madeOf) return;
  if (before !== null) {
    const redrawn = await redrawAll(deps, appId);
    const fields = { event: 'links.redrawn', app_id: appId, sessions: redrawn };
    logger.info(fields, 'Links have changed with the settings: open sessions are shown again, with the new ones');
  }
  await shownLinks.note(appId, madeOf);
}

/** Links of a former key still work, but only for as long as it is configured. */
function whatLinksAreMadeOf({ accountsBaseUrl, authGrant }: AppConfig, { keyId, redirectUri }: RedrawDeps): string {
  return authGrant === 'authorization_code' ? `${authGrant} ${accountsBaseUrl} ${redirectUri} ${keyId}` : authGrant;
}

/** Names them all before the first is touched: their order changes with it. */
async function redrawAll({ sessions, shownLinks }: RedrawDeps, appId: string): Promise<number> {
  let redrawn = 0;
  const ids = await sessions.open(appId, null, null);
  for (let next = 0; next < ids.length; next += BATCH) {
    const live = await Promise.all(ids.slice(next, next + BATCH).map((id) => shownLinks.redraw(id)));
    redrawn += live.filter(Boolean).length;
  }
  return redrawn;
}
