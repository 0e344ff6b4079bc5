/**
 * The values of the card that tells a user of a withdrawn authorization. It is about a grant and not about a session:
 * whose it was, of which app, since when. Pure.
 */
import type { LocalizedText } from '../../config/config.js';
import { cleanName } from '../../domain/plain-text.js';
import { MAX_NAME, shownName, type VariableSources } from './session-variables.js';
import { NO_VARIABLES, type Variables } from './variables.js';

export interface WithdrawnGrant {
  readonly appId: string;
  /** The clients it was given for. */
  readonly clientIds: readonly string[];
  /** Milliseconds. */
  readonly at: number;
}

/** So many clients are named; the rest is counted. */
export const MAX_CLIENTS = 4;

export function withdrawalVariables(grant: WithdrawnGrant, sources: VariableSources): Variables {
  return {
    ...NO_VARIABLES,
    client: clientNames(grant, sources),
    app: cleanName(sources.appName(grant.appId), MAX_NAME),
    ended_at: sources.time(grant.at),
  };
}

/** Clients without a name of their own show as the app: once. */
function clientNames({ appId, clientIds }: WithdrawnGrant, sources: VariableSources): LocalizedText {
  const app = sources.appName(appId);
  const names = clientIds.map((id) => shownName(sources.clientName(id, appId)));
  if (names.length === 0) names.push(shownName({ zh_cn: app, en_us: app }));
  const distinct = [...new Map(names.map((name) => [`${name.zh_cn}\n${name.en_us}`, name])).values()];
  const named = distinct.slice(0, MAX_CLIENTS);
  const rest = distinct.length - named.length;
  return {
    zh_cn: named.map((name) => name.zh_cn).join('、') + (rest > 0 ? ` 等 ${distinct.length} 个服务` : ''),
    en_us: named.map((name) => name.en_us).join(', ') + (rest > 0 ? ` and ${rest} more` : ''),
  };
}
