/**
 * The same questions for both grants: which call of the daemon brings the tokens of a consent, and how many links have
 * been made.
 */
import type { ApiFault } from '../simulator/fault-kinds.js';
import type { Scene } from './scene.js';

type TokenCall = Pick<ApiFault, 'api' | 'grant' | 'openId' | 'userCode'> & { on: 'api' };

/**
 * Where a fault meets the call that brings the tokens: a poll, or the exchange of a code. Of this consent alone with
 * `of`: by a poll Feishu knows the link, by a code who has consented.
 */
export function tokenCall({ way }: Pick<Scene, 'way'>, of?: { link: string; openId: string }): TokenCall {
  const call = { on: 'api', api: 'token', grant: way.grant } as const;
  if (of === undefined) return call;
  return way.grant === 'device_code' ? { ...call, userCode: of.link } : { ...call, openId: of.openId };
}

/** Links made so far. Device codes are made by Feishu; the address of its authorize page only by the daemons. */
export function linksMade({ daemons, sim, way }: Pick<Scene, 'daemons' | 'sim' | 'way'>): number {
  if (way.grant === 'device_code') return sim.deviceCodes().length;
  return [...daemons].flatMap(({ lines }) => lines).filter(({ event }) => event === 'link.created').length;
}
