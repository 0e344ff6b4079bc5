/** Sessions, names and a renderer for the tests of cards. */
import { fileURLToPath } from 'node:url';
import type { DeviceLink, Session } from '../../src/domain/session.js';
import { type CardRenderer, type CardRendererDeps, createCardRenderer } from '../../src/feishu/cards/card-renderer.js';
import type { CardSet } from '../../src/feishu/cards/card-set.js';

export const CARDS_DIR = fileURLToPath(new URL('../../cards', import.meta.url));

/** 22 November 2025, 14:00 in Shanghai. */
export const NOW = Date.UTC(2025, 10, 22, 6, 0);

/** Legal, and easily damaged: encoded characters, a plus, two keys, a fragment. */
export const LINK = 'https://accounts.feishu.cn/oauth/v1/device/verify?user_code=WDJB-MJHT&x=%2Fa+b&y=_1*~2#part';

export const consentLink = (changes: Partial<DeviceLink> = {}): DeviceLink => ({
  grant: 'device_code',
  number: 1,
  deviceCode: 'device-code-never-shown',
  userCode: 'WDJB-MJHT',
  verificationUri: 'https://accounts.feishu.cn/oauth/v1/device/verify',
  verificationUriComplete: LINK,
  expiresAt: NOW + 240_000,
  intervalSeconds: 5,
  lifeSeconds: 600,
  ...changes,
});

export const aSession = (changes: Partial<Session> = {}): Session => ({
  sessionId: 'as_0123456789abcdef_0123456789abcdef0123456789abcdef',
  appId: 'cli_0123456789abcdef',
  clientId: 'reports',
  openId: 'ou_alice',
  state: 'pending',
  scopes: ['offline_access', 'docx:document:readonly', 'wiki:wiki:readonly'],
  grantedScopes: [],
  missingScopes: [],
  reason: '每周一汇总项目文档',
  metadata: {},
  chatId: null,
  messageId: null,
  createdAt: NOW,
  expiresAt: NOW + 86_400_000,
  endedAt: null,
  failureReason: null,
  failureDetail: null,
  nextSessionId: null,
  linkState: 'none',
  linkNumber: 0,
  link: null,
  codeFailure: null,
  mismatches: 0,
  cards: 0,
  shownAs: 'card',
  said: null,
  version: 1,
  shownVersion: 0,
  ...changes,
});

export const linkSession = (changes: Partial<DeviceLink> = {}): Session =>
  aSession({ state: 'authorizing', linkState: 'live', linkNumber: 1, link: consentLink(changes) });

export const rendererOf = (cards: CardSet, deps: Partial<CardRendererDeps> = {}): CardRenderer =>
  createCardRenderer({
    cards,
    timezone: 'Asia/Shanghai',
    clientName: () => ({ zh_cn: '周报助手', en_us: 'Weekly Report' }),
    appName: () => '办公平台',
    applinkBaseUrl: () => 'https://applink.feishu.cn',
    authorizeUrl: () => null,
    ...deps,
  });

/** Every object inside, itself included. */
export function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Record<string, unknown>];
  return [...own, ...Object.values(value).flatMap(objectsIn)];
}

/** What a client of this language shows, in order; markdown as it is written. */
export const textsIn = (card: object, language: 'zh_cn' | 'en_us'): string[] =>
  objectsIn(card).flatMap((object) => {
    const texts = object['i18n_content'] as Record<string, string> | undefined;
    const text = texts?.[language] ?? object['content'];
    return typeof text === 'string' ? [text] : [];
  });

export const actionsIn = (card: object): string[] =>
  objectsIn(card).flatMap((object) => {
    const value = object['value'] as { action?: string } | undefined;
    return object['type'] === 'callback' && value?.action !== undefined ? [value.action] : [];
  });
