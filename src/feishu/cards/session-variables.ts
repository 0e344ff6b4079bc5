/**
 * The values a session gives to the variables of its card. Pure: session, clock value and names in, texts out.
 * Everything from outside (names, reason, log ids) is cleaned and bounded here, so that a card keeps Feishu's size
 * limit whatever a session holds.
 */
import type { LocalizedText } from '../../config/config.js';
import { cleanName } from '../../domain/plain-text.js';
import { cleanReason } from '../../domain/reason.js';
import { isLive, MAX_MISMATCHES, type Session } from '../../domain/session.js';
import type { CardSet, FailureText } from './card-set.js';
import type { CardTime } from './card-time.js';
import { scopeLines } from './scope-list.js';
import type { Variables } from './variables.js';

/** Characters. */
export const MAX_NAME = 60;
const MAX_REMEDY = 300;
const MAX_CODE = 64;
/** A link beside everything else a card says. With a longer one the card of the link itself comes first. */
export const MAX_SIDE_LINK = 3_600;

export interface VariableSources {
  readonly cards: CardSet;
  readonly time: CardTime;
  readonly clientName: (clientId: string, appId: string) => LocalizedText;
  readonly appName: (appId: string) => string;
  /** Without a trailing slash. */
  readonly applinkBaseUrl: (appId: string) => string;
  /** Address of the session's link by the authorization code grant; null: the app has the device grant. */
  readonly authorizeUrl: (session: Session) => string | null;
}

export function sessionVariables(session: Session, now: number, sources: VariableSources): Variables {
  const scopes = scopeLines(session.scopes, sources.cards.scopes);
  const missing = scopeLines(session.missingScopes, sources.cards.scopes);
  return {
    session_id: session.sessionId,
    client: shownName(sources.clientName(session.clientId, session.appId)),
    app: cleanName(sources.appName(session.appId), MAX_NAME),
    reason: session.reason === null ? '' : cleanReason(session.reason),
    scopes: scopes.visible,
    more_scopes: scopes.folded,
    more_scopes_count: scopes.foldedCount,
    missing_scopes: missing.visible,
    more_missing_scopes: missing.folded,
    more_missing_scopes_count: missing.foldedCount,
    deadline: sources.time(session.expiresAt),
    ended_at: session.endedAt === null ? '' : sources.time(session.endedAt),
    tries_left: String(Math.max(1, MAX_MISMATCHES - session.mismatches)),
    ...linkVariables(session, now, sources),
    ...failureVariables(session, sources),
  };
}

export const shownName = (name: LocalizedText): LocalizedText => ({
  zh_cn: cleanName(name.zh_cn, MAX_NAME),
  en_us: cleanName(name.en_us, MAX_NAME),
});

/** Opens a page inside the Feishu client: a side panel on a computer, a web view on a phone (FEISHU.md §5.5). */
export const applinkTo = (url: string, applinkBaseUrl: string): string =>
  `${applinkBaseUrl}/client/web_url/open?mode=sidebar-semi&max_width=800&reload=false&url=${encodeURIComponent(url)}`;

type LinkVariables = Pick<Variables, 'link' | 'applink' | 'user_code' | 'link_life' | 'link_until'>;

const NO_LINK: LinkVariables = { link: '', applink: '', user_code: '', link_life: '', link_until: '' };

function linkVariables(session: Session, now: number, sources: VariableSources): LinkVariables {
  const link = shownLink(session, sources);
  if (link === null) return NO_LINK;
  const applink = applinkTo(link.url, sources.applinkBaseUrl(session.appId));
  return {
    link: link.url,
    applink: applink.length <= MAX_SIDE_LINK || session.linkState === 'live' ? applink : '',
    user_code: cleanName(link.userCode, MAX_CODE),
    link_life: lifeInWords(link.endsAt - now),
    link_until: sources.time(link.endsAt),
  };
}

interface ShownLink {
  readonly url: string;
  readonly userCode: string;
  /** Milliseconds. */
  readonly endsAt: number;
}

/**
 * Only a live link of a live session ever gets near a card, whatever else the record still holds. A link of the
 * authorization code grant is there from the first card on; no other one is made while its tokens are being verified.
 */
export function shownLink(session: Session, sources: Pick<VariableSources, 'authorizeUrl'>): ShownLink | null {
  const { link, linkState } = session;
  if (!isLive(session.state) || linkState === 'settling') return null;
  if (linkState === 'live' && link?.grant === 'device_code') {
    return { url: link.verificationUriComplete, userCode: link.userCode, endsAt: link.expiresAt };
  }
  const url = sources.authorizeUrl(session);
  return url === null ? null : { url, userCode: '', endsAt: session.expiresAt };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Minutes of a short link, hours or days of a long one: never more than there are, but for the last minute. */
function lifeInWords(ms: number): LocalizedText {
  if (ms >= 2 * DAY_MS) return words(Math.floor(ms / DAY_MS), '天', 'days');
  if (ms >= 2 * HOUR_MS) return words(Math.floor(ms / HOUR_MS), '小时', 'hours');
  return words(Math.max(1, Math.round(ms / MINUTE_MS)), '分钟', 'min');
}

const words = (count: number, zh: string, en: string): LocalizedText => ({
  zh_cn: `${count} ${zh}`,
  en_us: `${count} ${en}`,
});

type FailureVariables = Pick<
  Variables,
  'failure' | 'failure_next' | 'failure_contact' | 'remedy' | 'feishu_code' | 'log_id'
>;

const NO_FAILURE: FailureVariables = {
  failure: '',
  failure_next: '',
  failure_contact: '',
  remedy: '',
  feishu_code: '',
  log_id: '',
};

function failureVariables(session: Session, sources: VariableSources): FailureVariables {
  if (session.state !== 'failed') return NO_FAILURE;
  const detail = session.failureDetail;
  const text = failureText(session, sources.cards);
  return {
    failure: text.happened,
    failure_next: text.next,
    failure_contact: sources.cards.failures.contacts[detail?.for ?? 'operator'],
    remedy: cleanName(detail?.remedy ?? '', MAX_REMEDY),
    feishu_code: detail?.feishu_code === undefined ? '' : String(detail.feishu_code),
    log_id: cleanName(detail?.log_id ?? '', MAX_CODE),
  };
}

function failureText(session: Session, cards: CardSet): FailureText {
  const code = session.failureDetail?.feishu_code;
  const byCode = code === undefined ? undefined : cards.failures.codes.get(code);
  return byCode ?? cards.failures.reasons[session.failureReason ?? 'internal_error'];
}
