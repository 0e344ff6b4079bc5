/**
 * Sessions, and grants, to try templates with at start: for every screen the longest a session can be (every variable has a value,
 * names and lists at their limits) and the shortest (every `$if` drops). What passes with both passes in between.
 */
import type { LocalizedText } from '../../config/config.js';
import { MAX_REASON_CHARACTERS } from '../../domain/reason.js';
import { MAX_SCOPES, OFFLINE_ACCESS } from '../../domain/scopes.js';
import type { Screen } from '../../domain/screen.js';
import {
  type DeviceLink,
  type FailureReason,
  isLive,
  type LinkState,
  type Session,
  type SessionState,
} from '../../domain/session.js';
import { MAX_NAME, MAX_SIDE_LINK, type VariableSources } from './session-variables.js';
import { MAX_CLIENTS, type WithdrawnGrant } from './withdrawal.js';

/** The clock of all samples: 22 November 2025, 06:30 UTC. */
export const SAMPLE_NOW = Date.UTC(2025, 10, 22, 6, 30);

/** A character of four bytes: the longest a text of limited characters can get. */
const WIDEST = '𠀀';

/** Of the authorization code grant, with 50 scopes of 40 characters, encoded as addresses are. */
const LONGEST_AUTHORIZE_URL = `https://accounts.larksuite.com/open-apis/authen/v1/authorize?scope=${'docx%3A'.repeat(300)}${'A'.repeat(1_500)}`;

/** Becomes longer inside an applink. */
const LONGEST_SIDE_URL = LONGEST_AUTHORIZE_URL.slice(0, MAX_SIDE_LINK - 1_000);

type Names = Pick<VariableSources, 'clientName' | 'appName' | 'applinkBaseUrl' | 'authorizeUrl'>;

export const LONGEST_NAMES: Names = {
  // No two alike.
  clientName: (clientId) => {
    const name = WIDEST.repeat(MAX_NAME - 1) + clientId.slice(-1);
    return { zh_cn: name, en_us: name };
  },
  appName: () => WIDEST.repeat(MAX_NAME),
  applinkBaseUrl: () => 'https://applink.larksuite.com',
  authorizeUrl: ({ link, linkState }) => {
    if (link !== null) return null;
    return linkState === 'live' ? LONGEST_AUTHORIZE_URL : LONGEST_SIDE_URL;
  },
};

interface Circumstances {
  readonly state: SessionState;
  readonly linkState?: LinkState;
  readonly failureReason?: FailureReason;
}

const CIRCUMSTANCES: Readonly<Record<Screen, Circumstances>> = {
  request: { state: 'pending' },
  link: { state: 'authorizing', linkState: 'live' },
  confirming: { state: 'authorizing', linkState: 'settling' },
  'link-expired': { state: 'authorizing', linkState: 'dead' },
  'wrong-account': { state: 'authorizing', linkState: 'wrong_account' },
  authorized: { state: 'completed' },
  rejected: { state: 'rejected' },
  expired: { state: 'expired' },
  failed: { state: 'failed', failureReason: 'app_misconfigured' },
  'wrong-account-final': { state: 'failed', failureReason: 'identity_mismatch' },
  'missing-scopes': { state: 'failed', failureReason: 'insufficient_scope' },
  superseded: { state: 'superseded' },
  invalidated: { state: 'invalidated' },
};

// The link stays in all of them: a card that shows it where it must not be is found out.
const LINK: DeviceLink = {
  grant: 'device_code',
  number: 3,
  deviceCode: 'sample',
  userCode: 'ABCD-EFGH-IJKL-MNOP',
  verificationUri: 'https://accounts.larksuite.com/oauth/v1/device/verify',
  verificationUriComplete: `https://accounts.larksuite.com/oauth/v1/device/verify?user_code=${'A'.repeat(900)}`,
  expiresAt: SAMPLE_NOW + 600_000,
  intervalSeconds: 5,
  lifeSeconds: 600,
};

const SHORTEST: Session = {
  sessionId: `as_${'0'.repeat(16)}_${'0'.repeat(32)}`,
  appId: `cli_${'0'.repeat(16)}`,
  clientId: 'sample',
  openId: `ou_${'0'.repeat(32)}`,
  state: 'pending',
  scopes: [],
  grantedScopes: [],
  missingScopes: [],
  reason: null,
  metadata: {},
  chatId: null,
  messageId: null,
  createdAt: SAMPLE_NOW,
  expiresAt: SAMPLE_NOW + 86_400_000,
  endedAt: null,
  failureReason: null,
  failureDetail: null,
  nextSessionId: null,
  linkState: 'none',
  linkNumber: 0,
  link: { ...LINK, userCode: '' },
  codeFailure: null,
  mismatches: 0,
  cards: 0,
  shownAs: 'card',
  said: null,
  version: 1,
  shownVersion: 0,
};

/** Scopes without words, no two alike, each as long as a scope may be. */
const WORDLESS_SCOPES = Array.from({ length: MAX_SCOPES }, (_, index) => `${index}:`.padEnd(128, 'x'));

/** As many scopes as one request may have, those first that take most room on a card. */
function longestScopes(words: ReadonlyMap<string, LocalizedText>): string[] {
  const bytes = (text: string): number => Buffer.byteLength(text, 'utf8');
  // The default text is the Chinese one once more.
  const room = ({ zh_cn, en_us }: LocalizedText): number => 2 * bytes(zh_cn) + bytes(en_us);
  const candidates = [
    ...WORDLESS_SCOPES.map((scope) => ({ scope, room: 3 * bytes(scope) })),
    ...[...words].map(([scope, text]) => ({ scope, room: room(text) })),
  ].sort((one, other) => other.room - one.room);
  return [OFFLINE_ACCESS, ...candidates.slice(0, MAX_SCOPES - 1).map(({ scope }) => scope)];
}

const longest = (scopes: readonly string[]): Session => ({
  ...SHORTEST,
  scopes,
  missingScopes: scopes,
  reason: WIDEST.repeat(MAX_REASON_CHARACTERS),
  endedAt: SAMPLE_NOW,
  link: LINK,
  failureDetail: { feishu_code: 99_991_672, log_id: '0'.repeat(64), remedy: WIDEST.repeat(400), for: 'developer' },
  mismatches: 1,
});

export interface Sample {
  readonly screen: Screen;
  readonly size: 'longest' | 'shortest';
  readonly session: Session;
}

/** The samples of a screen, the longest first; while a session lives, with a link of either grant. */
export function createSamples(words: ReadonlyMap<string, LocalizedText>): (screen: Screen) => Sample[] {
  const byDevice = longest(longestScopes(words));
  const byCode: Session = { ...byDevice, link: null };
  return (screen) => {
    const circumstances = CIRCUMSTANCES[screen];
    const sample = (size: Sample['size'], session: Session): Sample => ({
      screen,
      size,
      session: { ...session, ...circumstances },
    });
    const longestOnes = isLive(circumstances.state) ? [byDevice, byCode] : [byDevice];
    return [...longestOnes.map((session) => sample('longest', session)), sample('shortest', SHORTEST)];
  };
}

const GRANT: WithdrawnGrant = { appId: SHORTEST.appId, clientIds: [], at: SAMPLE_NOW };

export const GRANT_SAMPLES: readonly { readonly size: Sample['size']; readonly grant: WithdrawnGrant }[] = [
  { size: 'longest', grant: { ...GRANT, clientIds: Array.from({ length: 2 * MAX_CLIENTS }, (_, i) => `client ${i}`) } },
  { size: 'shortest', grant: GRANT },
];
