/**
 * Draws a card as the Feishu client does: frame, header with its colour, body. Knows nothing of messages and clicks:
 * pressing something calls `context.onPress`. Source: FEISHU.md §5.
 *
 * @typedef {object} CardContext
 * @property {string} locale chosen interface language, `zh_cn` or `en_us`
 * @property {(id: string) => string | null} nameOf the person behind an open_id
 * @property {string | null} busy path of the pressed component while its callback is in hand
 * @property {(press: {path: string, behaviors: object[], confirm: object | null}) => void} onPress
 * @property {Set<string>} folded paths of panels whose fold differs from the card's own (kept over redraws)
 */
import { drawElements } from './card-elements.js';
import { applySpacing } from './card-layout.js';
import { drawText, pickText } from './card-text.js';
import { el, ICONS, icon } from './dom.js';

/** @param {object} card the parsed card JSON, @param {CardContext} context */
export function drawCard(card, context) {
  const languages = card.config?.locales;
  const locale = !Array.isArray(languages) || languages.includes(context.locale) ? context.locale : languages[0];
  const inner = { ...context, locale };
  const body = card.schema === '2.0' ? (card.body ?? {}) : { elements: card.elements ?? [] };
  const node = el(
    `div.card.card-width-${card.config?.width_mode ?? 'default'}`,
    { 'data-testid': 'card', 'data-busy': context.busy !== null },
    card.header ? drawHeader(card.header, inner) : null,
    drawBody(body, inner),
  );
  if (card.card_link) node.addEventListener('click', (event) => openCardLink(event, card.card_link, context));
  return node;
}

/** One line for the list of chats, as the client derives it when the card names no summary. */
export function summarize(card, locale) {
  const summary = pickText(card.config?.summary, locale) || pickText(card.header?.title, locale);
  return summary || '';
}

function drawHeader(header, context) {
  const tags = (header.text_tag_list ?? []).map((tag) =>
    el('span.text-tag', { 'data-colour': tag.color ?? 'neutral' }, pickText(tag.text, context.locale)),
  );
  return el(
    'div.card-header',
    { 'data-template': header.template ?? 'default', 'data-testid': 'card-header' },
    header.icon ? el('span.card-header-icon', {}, icon(ICONS.info, 20)) : null,
    el(
      'div.card-header-texts',
      {},
      el(
        'div.card-title-row',
        {},
        el('span.card-title', { 'data-testid': 'card-title' }, ...drawText(header.title, context)),
        ...tags,
      ),
      header.subtitle ? el('div.card-subtitle', {}, ...drawText(header.subtitle, context)) : null,
    ),
  );
}

function drawBody(body, context) {
  const node = el('div.card-body', { 'data-testid': 'card-body', 'data-direction': body.direction ?? 'vertical' });
  node.append(...drawElements(body.elements ?? [], 'body', context));
  applySpacing(node, body);
  return node;
}

/** The link of the whole card, unless something with its own action was pressed. */
function openCardLink(event, link, context) {
  if (event.target.closest('a, button, .interactive, summary')) return;
  const url = link.pc_url ?? link.url;
  if (url) context.onPress({ path: 'card_link', behaviors: [{ type: 'open_url', default_url: url }], confirm: null });
}
