/** Texts of a card: the language is chosen per text, the default is `content` (FEISHU.md §5.3). */
import { inline } from './markdown.js';

/** @returns {string} the text in the language, or the default one */
export const pickText = (text, locale) => text?.i18n_content?.[locale] ?? text?.content ?? '';

/** Draws a plain_text or lark_md object. */
export function drawText(text, context) {
  const content = pickText(text, context.locale);
  return text?.tag === 'lark_md' ? inline(content, context) : [content];
}
