/**
 * The notice a group gets when a request names its chat: it names the user and says where the card is, and holds
 * nothing else of the request (CONTRACT §4.1). A plain text message; `<at>` is its only markup.
 */
import { escapeMessageText } from './escape.js';

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const MENTION = '<at user_id="{{open_id}}"></at>';

export function fillNotice(text: string, openId: string, client: { zh_cn: string; en_us: string }): string {
  const values: Readonly<Record<string, string>> = {
    open_id: openId.replace(/[^\w-]/g, ''),
    client: escapeMessageText(client.zh_cn),
    client_en: escapeMessageText(client.en_us),
  };
  return text.replace(PLACEHOLDER, (_match, name: string) => values[name] ?? '');
}

/** Why a notice text cannot be used. */
export function noticeProblems(text: string): string[] {
  const names = [...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
  return [
    ...(text.includes(MENTION) ? [] : [`must name the user: ${MENTION}`]),
    ...names
      .filter((name) => !['open_id', 'client', 'client_en'].includes(name))
      .map((name) => `uses an unknown variable: {{${name}}}`),
  ];
}
