/**
 * What `cards/` holds once it is read and checked: one template per screen and the texts. Types and names only;
 * load-cards.ts reads, card-renderer.ts uses.
 */
import type { LocalizedText } from '../../config/config.js';
import { MESSAGES } from '../../domain/news.js';
import { GONE_SCREEN, SCREENS, type Screen, WITHDRAWN_SCREEN } from '../../domain/screen.js';
import type { FailureDetail, FailureReason } from '../../domain/session.js';
import type { JsonObject } from './json.js';
import type { MessageText } from './message-text.js';

export type CardName = Screen | typeof GONE_SCREEN | typeof WITHDRAWN_SCREEN;
export const CARD_NAMES: readonly CardName[] = [...SCREENS, GONE_SCREEN, WITHDRAWN_SCREEN];

/** Texts of messages, for users who are asked without cards (CARD=link). */
export const MESSAGE_NAMES = [...MESSAGES, WITHDRAWN_SCREEN] as const;
export type MessageTextName = (typeof MESSAGE_NAMES)[number];

/** Card languages, as Feishu's `locales` names them (FEISHU.md §5.3). The first is the default. */
export const LANGUAGES = ['zh_cn', 'en_us'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Short answers shown over the chat for a few seconds (FEISHU.md §3.3). */
export const TOAST_NAMES = [
  'not_for_you',
  'working_on_it',
  'still_waiting',
  'already_ended',
  'declined',
  'malformed',
  'try_again_soon',
  'shutting_down',
  'too_old',
  'too_many',
  'link_ready',
  'new_link',
  'gone',
  'authorized',
  'withdrawn',
  'already_withdrawn',
  'not_withdrawn',
] as const;
export type ToastName = (typeof TOAST_NAMES)[number];

export const TOAST_TYPES = ['info', 'success', 'warning', 'error'] as const;
export type ToastType = (typeof TOAST_TYPES)[number];

export interface ToastText extends LocalizedText {
  readonly type: ToastType;
}

/** What a failed session is told as: what happened, and what to do. */
export interface FailureText {
  readonly happened: LocalizedText;
  readonly next: LocalizedText;
}

export interface FailureTexts {
  readonly reasons: Readonly<Record<FailureReason, FailureText>>;
  /** By Feishu's code; more exact than the reason's own words. */
  readonly codes: ReadonlyMap<number, FailureText>;
  readonly contacts: Readonly<Record<FailureDetail['for'], LocalizedText>>;
}

export interface CardSet {
  readonly templates: Readonly<Record<CardName, JsonObject>>;
  /** Scope -> what it allows, in words. */
  readonly scopes: ReadonlyMap<string, LocalizedText>;
  readonly toasts: Readonly<Record<ToastName, ToastText>>;
  readonly failures: FailureTexts;
  readonly messages: Readonly<Record<MessageTextName, MessageText>>;
  /** Text of the group notice; may use `{{open_id}}` and `{{client}}`. */
  readonly notice: string;
}
