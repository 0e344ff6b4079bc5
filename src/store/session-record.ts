/**
 * A session as Redis holds it (a hash of strings, times in milliseconds) and as the daemon sees it. What users or
 * clients wrote (reason, metadata) and the consent link are sealed inside the hash.
 */
import {
  type CodeLink,
  type ConsentLink,
  type DeviceLink,
  FAILURE_REASONS,
  type FailureDetail,
  LINK_STATES,
  type ReceivedCode,
  SESSION_STATES,
  type Session,
} from '../domain/session.js';
import { AuthdError } from '../errors.js';
import type { Envelope, SealContext } from './envelope.js';

export type RawRecord = Readonly<Record<string, string>>;

/** What is sealed as `session-text`. */
export interface SessionText {
  readonly reason: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** `HGETALL` inside a script gives a flat list. */
export function toRecord(flat: unknown): RawRecord {
  const record: Record<string, string> = {};
  if (Array.isArray(flat)) {
    for (let i = 0; i + 1 < flat.length; i += 2) record[String(flat[i])] = String(flat[i + 1]);
  }
  return record;
}

export function sealText(envelope: Envelope, appId: string, sessionId: string, text: SessionText): string {
  const context = { appId, owner: sessionId, purpose: 'session-text', generation: 0 } as const;
  return envelope.seal(JSON.stringify(text), context).toString('base64');
}

/** A link before it is sealed: when its code came is told by a field of its own, which Redis's clock writes. */
export type SealedLink = DeviceLink | (Omit<CodeLink, 'received'> & { readonly received: NewCode | null });
export type NewCode = Omit<ReceivedCode, 'receivedAt'>;

export function sealLink(envelope: Envelope, appId: string, sessionId: string, link: SealedLink): string {
  const context = { appId, owner: sessionId, purpose: 'session-link', generation: link.number } as const;
  return envelope.seal(JSON.stringify(link), context).toString('base64');
}

/** @throws AuthdError `record_damaged` (a state that does not exist) or `key_mismatch` */
export function parseSession(envelope: Envelope, appId: string, sessionId: string, raw: RawRecord): Session {
  const linkNumber = Number(raw['link_number'] ?? 0);
  const text = openText(envelope, appId, sessionId, raw['text']);
  return {
    sessionId,
    appId,
    clientId: raw['client_id'] ?? '',
    openId: raw['open_id'] ?? '',
    state: oneOf(SESSION_STATES, raw['state'], sessionId),
    scopes: words(raw['scopes']),
    grantedScopes: words(raw['granted_scopes']),
    missingScopes: words(raw['missing_scopes']),
    reason: text.reason,
    metadata: text.metadata,
    chatId: raw['chat_id'] || null,
    messageId: raw['message_id'] ?? null,
    createdAt: Number(raw['created_at'] ?? 0),
    expiresAt: Number(raw['expires_at'] ?? 0),
    endedAt: raw['ended_at'] === undefined ? null : Number(raw['ended_at']),
    failureReason:
      raw['failure_reason'] === undefined ? null : oneOf(FAILURE_REASONS, raw['failure_reason'], sessionId),
    failureDetail: raw['failure_detail'] ? (JSON.parse(raw['failure_detail']) as FailureDetail) : null,
    nextSessionId: raw['next_session_id'] ?? null,
    linkState: oneOf(LINK_STATES, raw['link_state'], sessionId),
    linkNumber,
    link: openLink(envelope, appId, sessionId, linkNumber, raw),
    codeFailure: raw['code_failure'] ? (JSON.parse(raw['code_failure']) as FailureDetail) : null,
    mismatches: Number(raw['mismatches'] ?? 0),
    cards: Number(raw['cards'] ?? 0),
    shownAs: raw['shown_as'] === 'link' ? 'link' : 'card',
    said: raw['said'] ?? null,
    version: Number(raw['version'] ?? 0),
    shownVersion: Number(raw['shown_version'] ?? 0),
  };
}

function openText(envelope: Envelope, appId: string, sessionId: string, sealed: string | undefined): SessionText {
  if (sealed === undefined) return { reason: null, metadata: {} };
  const context = { appId, owner: sessionId, purpose: 'session-text', generation: 0 } as const;
  const opened = openOrNull(envelope, sealed, context);
  return opened === null ? { reason: null, metadata: {} } : (JSON.parse(opened) as SessionText);
}

function openLink(
  envelope: Envelope,
  appId: string,
  sessionId: string,
  generation: number,
  raw: RawRecord,
): ConsentLink | null {
  const sealed = raw['link'];
  if (sealed === undefined) return null;
  const context = { appId, owner: sessionId, purpose: 'session-link', generation } as const;
  const opened = openOrNull(envelope, sealed, context);
  if (opened === null) return null;
  const link = JSON.parse(opened) as ConsentLink;
  // Links made before there was a second grant do not name theirs.
  const named = { ...withGrant(link), expiresAt: Number(raw['link_expires_at'] ?? link.expiresAt) };
  if (named.grant === 'device_code' || named.received === null) return named;
  return { ...named, received: { ...named.received, receivedAt: Number(raw['code_at'] ?? 0) } };
}

const withGrant = (link: ConsentLink): ConsentLink => ({ ...link, grant: link.grant ?? 'device_code' }) as ConsentLink;

/**
 * A damaged text or link is as good as none: the session can still be shown, ended and asked for again. It stays in
 * the record as it is. A key that is not configured is another matter and passes.
 */
function openOrNull(envelope: Envelope, sealed: string, context: SealContext): string | null {
  try {
    return envelope.open(Buffer.from(sealed, 'base64'), context);
  } catch (error) {
    if (error instanceof AuthdError && error.code === 'record_damaged') return null;
    throw error;
  }
}

const words = (text: string | undefined): string[] => (text ? text.split(' ') : []);

function oneOf<T extends string>(values: readonly T[], value: string | undefined, sessionId: string): T {
  const found = values.find((known) => known === value);
  if (found === undefined) {
    throw new AuthdError('record_damaged', `session ${sessionId} has a field with an unknown value`);
  }
  return found;
}
