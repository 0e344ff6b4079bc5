/**
 * Links of the authorization code grant (RFC 6749 §4.1.1, RFC 7636, FEISHU.md §6.1). Pure but for the keyring.
 *
 * A link follows from its session alone: `state` names session and link number, signed with a key derived from the
 * keyring; the nonce and the PKCE verifier are derived from the same key. So nothing of it has to be stored, every
 * process makes the same one, and a card drawn anew has the link of the card before. The first key signs, all verify.
 *
 * `state` is `<base64url of JSON>.<base64url of its HMAC-SHA-256>`. It holds no secret; that it works once is the
 * store's doing.
 */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { AppConfig, EncryptionKey } from '../config/config.js';
import { objectOf } from '../domain/json-fields.js';
import { currentLinkNumber, type Session } from '../domain/session.js';
import { appOfSession } from '../domain/session-id.js';

/** What a valid state stands for. */
export interface OpenedState {
  readonly sessionId: string;
  readonly linkNumber: number;
  /** As it stood in the authorization request, byte for byte. */
  readonly redirectUri: string;
  /** Secret: proves at the token endpoint that it was us who asked (RFC 7636 §4.5). */
  readonly codeVerifier: string;
}

export interface ConsentLinks {
  /** The address of Feishu's page for the link that the session has now, or will have when she asks. */
  urlFor(session: Session, app: Pick<AppConfig, 'accountsBaseUrl'>): string;
  /** null: not signed by a key of the ring, or not what we sign. */
  open(state: string): OpenedState | null;
}

export interface ConsentLinksDeps {
  /** The first signs. */
  readonly keys: readonly EncryptionKey[];
  readonly redirectUri: string;
}

/** Far more than ours have. */
const MAX_STATE_CHARACTERS = 4_096;
const STATE = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;
const NONCE_CHARACTERS = 22;

/** What stands in a state. `timestamp`: when the session was made, seconds. */
interface StateFields {
  readonly app_id: string;
  readonly timestamp: number;
  readonly redirect_uri: string;
  readonly nonce: string;
  readonly session_id: string;
  readonly link_number: number;
}

/** Derived keys, one for each use (RFC 5869), so that none of them says anything about another. */
interface LinkKeys {
  readonly sign: Buffer;
  readonly nonce: Buffer;
  readonly verifier: Buffer;
}

export function createConsentLinks({ keys, redirectUri }: ConsentLinksDeps): ConsentLinks {
  const ring = keys.map(({ key }) => deriveKeys(key));
  const [first] = ring;

  return {
    urlFor(session, { accountsBaseUrl }) {
      if (first === undefined) throw new RangeError('There is no key to sign a state with');
      const linkNumber = currentLinkNumber(session);
      const nonce = nonceOf(first, session.sessionId, linkNumber);
      const state = sign(first, {
        app_id: session.appId,
        timestamp: Math.floor(session.createdAt / 1000),
        redirect_uri: redirectUri,
        nonce,
        session_id: session.sessionId,
        link_number: linkNumber,
      });
      const url = new URL(`${accountsBaseUrl}/open-apis/authen/v1/authorize`);
      const challenge = createHash('sha256')
        .update(verifierOf(first, session.sessionId, nonce))
        .digest('base64url');
      url.search = new URLSearchParams({
        client_id: session.appId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: session.scopes.join(' '),
        state,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        // Else the client may redirect without showing anything (FEISHU.md §6.1).
        prompt: 'consent',
      }).toString();
      return url.href;
    },

    open(state) {
      const [, payload, signature] = state.length <= MAX_STATE_CHARACTERS ? (STATE.exec(state) ?? []) : [];
      if (payload === undefined || signature === undefined) return null;
      const signer = ring.find((candidate) => isSignature(candidate, payload, signature));
      const fields = signer === undefined ? null : readFields(payload);
      if (signer === undefined || fields === null || fields.app_id !== appOfSession(fields.session_id)) return null;
      return {
        sessionId: fields.session_id,
        linkNumber: fields.link_number,
        redirectUri: fields.redirect_uri,
        codeVerifier: verifierOf(signer, fields.session_id, fields.nonce),
      };
    },
  };
}

function deriveKeys(key: Buffer): LinkKeys {
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `feishu-authd consent link ${use}`, 32));
  return { sign: derive('state'), nonce: derive('nonce'), verifier: derive('code_verifier') };
}

const digest = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const nonceOf = ({ nonce }: LinkKeys, sessionId: string, linkNumber: number): string =>
  digest(nonce, `${sessionId} ${linkNumber}`).toString('base64url').slice(0, NONCE_CHARACTERS);

/** 43 characters (RFC 7636 §4.1). */
const verifierOf = ({ verifier }: LinkKeys, sessionId: string, nonce: string): string =>
  digest(verifier, `${sessionId} ${nonce}`).toString('base64url');

function sign(keys: LinkKeys, fields: StateFields): string {
  const payload = Buffer.from(JSON.stringify(fields)).toString('base64url');
  return `${payload}.${digest(keys.sign, payload).toString('base64url')}`;
}

function isSignature(keys: LinkKeys, payload: string, signature: string): boolean {
  const given = Buffer.from(signature, 'base64url');
  const expected = digest(keys.sign, payload);
  // Base64 of 32 bytes has two spare bits: only one spelling counts.
  return (
    given.length === expected.length && timingSafeEqual(given, expected) && given.toString('base64url') === signature
  );
}

/** Of a payload that we have signed, perhaps in another version. */
function readFields(payload: string): StateFields | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
  const { app_id, link_number, nonce, redirect_uri, session_id, timestamp } = objectOf(parsed);
  const isWhole =
    typeof app_id === 'string' &&
    typeof nonce === 'string' &&
    typeof redirect_uri === 'string' &&
    typeof session_id === 'string' &&
    typeof link_number === 'number' &&
    typeof timestamp === 'number';
  return isWhole ? { app_id, link_number, nonce, redirect_uri, session_id, timestamp } : null;
}
