/**
 * The simulator as a test holds it: one object to set the scene, act as people, look at what happened and break things.
 * Interface only; `index.ts` builds it.
 */
import type { Call } from './call-ledger.js';
import type { CallbackToken } from './chat/callback-tokens.js';
import type { Chat, Chats, Message } from './chat/chats.js';
import type { Click, ClickResult } from './chat/clicks.js';
import type { App, AppChange, NewApp, NewUser, Person, User } from './directory.js';
import type { EventStream } from './event-stream.js';
import type { Faults } from './faults.js';
import type { Connection, ConnectionInfo } from './gateway/connection.js';
import type { Push } from './gateway/delivery.js';
import type { Envelope, EnvelopeOverrides, EventPush, PushTiming } from './gateway/event-pusher.js';
import type { AuthorizationCode } from './oauth/authorization-codes.js';
import type { Authorization, AuthorizeOutcome } from './oauth/authorize-page.js';
import type { Consent, ConsentOutcome } from './oauth/consent.js';
import type { DeviceCode } from './oauth/device-codes.js';
import type { AccessToken, RefreshToken, TokenKind } from './oauth/token-book.js';
import type { Leaving, Revocation } from './people.js';
import type { Secret, SecretKind } from './secret-book.js';
import type { UrlVerification } from './webhook/url-verification.js';

export interface Simulator {
  /** Plays open, accounts and applink: `http://127.0.0.1:port`, without a slash at the end. */
  readonly baseUrl: string;

  // The scene.
  addApp(app?: NewApp): App;
  changeApp(appId: string, change: AppChange): App;
  addUser(user?: NewUser): User;
  addGroup(group: { title?: string; appIds: string[]; members: (string | User)[] }): Chat;
  /** The open_id by which an app knows a person. */
  openId(user: User, appId: string): string;

  // People and the platform acting.
  /** Clicks a card and resolves with what the person sees, at the latest when the client stops waiting (3 s). */
  click(click: Click): Promise<ClickResult>;
  /** Agrees on the consent page. `scopes`: the ticked ones. */
  consent(consent: Consent): ConsentOutcome;
  deny(denial: Person & { userCode: string }): ConsentOutcome;
  /** Opens an authorize link and answers the page; the redirect is not followed. */
  authorize(authorization: Authorization): AuthorizeOutcome;
  /** A v2 envelope for `pushEvent`. */
  envelope(appId: string, type: string, event: Envelope, overrides?: EnvelopeOverrides): Envelope;
  /** Pushes an event, with redelivery until it is acked with 200. */
  pushEvent(appId: string, body: Envelope, options?: Omit<Partial<Push>, 'appId' | 'payload'> & PushTiming): EventPush;
  /** Sends the challenge to the app's `callbackUrl`, as the console does when somebody saves it. */
  verifyCallbackUrl(appId: string): Promise<UrlVerification>;
  /** The same for its `eventUrl`. */
  verifyEventUrl(appId: string): Promise<UrlVerification>;
  revokeTenantTokens(appId: string): void;
  /** Makes the tokens of a person die as if revoked (20005, 20064), without a word. */
  revokeUserTokens(appId: string, who: Person, kinds?: readonly TokenKind[]): void;
  /** The same, and the event `auth.user_access_token.revoked_v4` follows. */
  revokeGrant(appId: string, revocation: Revocation): EventPush;
  /** The person resigns; the event `contact.user.deleted_v3` follows. */
  leave(appId: string, leaving: Leaving): EventPush;
  forgetGrant(appId: string, who: Person): void;

  /** Recalls a message as the chat's owner could. */
  recall(messageId: string): void;

  // The long connection.
  connections(appId?: string): ConnectionInfo[];
  /** The live connections themselves, to close, cut, silence or feed with garbage. */
  sockets(appId?: string): Connection[];
  /** Times (epoch ms) of the endpoint calls of an app. */
  endpointCalls(appId: string): number[];

  // What happened.
  messages(): Message[];
  message(messageId: string): Message | undefined;
  /** What one person got, by the open_id any app knows them by. */
  messagesTo(openId: string): Message[];
  readonly chats: Chats;
  readonly calls: Call[];
  /** Calls above Feishu's limits, refused or not. */
  readonly overLimit: number;
  deviceCodes(): DeviceCode[];
  /** Every authorization code ever issued, live: a test may age one. */
  authorizationCodes(): AuthorizationCode[];
  /** Ends the life of a device code now. */
  expireDeviceCode(userCode: string): void;
  /** Every refresh token ever issued: `generation`, `used`, `reused`. */
  readonly refreshLedger: RefreshToken[];
  accessTokens(): AccessToken[];
  usedCallbackTokens(): CallbackToken[];
  /** Every token, code, key and secret value ever issued. */
  secrets(kinds?: readonly SecretKind[]): string[];
  secretsByKind(kinds?: readonly SecretKind[]): Secret[];

  // Waiting.
  on: EventStream['on'];
  waitFor: EventStream['waitFor'];
  until: EventStream['until'];

  readonly faults: Faults;
  /** Cuts everything, hanging requests included, and leaves no timer behind. */
  close(): Promise<void>;
}
