/** The shapes of `explain`: where a code is met, and what it means there. */
import type { CodeEntry } from '../../domain/feishu-codes.js';

export type Language = 'en' | 'zh';

/** Where a code is met. The same number may mean different things in different places. */
export const PLACES = [
  'api',
  'failure_reason',
  'start',
  'token_endpoint',
  'device_poll',
  'revocation',
  'user_info',
  'user_token',
  'any_api',
  'http',
  'messages',
  'card',
  'client',
  'callback_update',
  'ephemeral',
  'cardkit',
  'long_connection',
  'ack',
  'websocket',
  'sdk',
  'apaas',
  'log',
] as const;
export type Place = (typeof PLACES)[number];

/** English. */
export type Entry = Pick<CodeEntry, 'cause' | 'remedy' | 'for'>;
export type Entries = Readonly<Record<string, Entry>>;

/** Cause and remedy in Chinese; who can act is the same in every language. */
export type Translations = Readonly<Record<string, readonly [cause: string, remedy: string]>>;

export interface Meaning {
  readonly place: Place;
  readonly where: string;
  readonly cause: string;
  readonly remedy: string;
  readonly for: Entry['for'];
}
