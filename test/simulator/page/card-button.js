/**
 * A card's button: its nine looks, sizes, disabled state, tips, and the spinner while its callback is in hand. While
 * any callback of the card is in hand all its buttons are still: a client sends one click at a time.
 */
import { pickText } from './card-text.js';
import { el } from './dom.js';

export function drawButton(element, path, context) {
  const isBusy = context.busy === path;
  const tips = pickText(
    element.disabled ? (element.disabled_tips ?? element.hover_tips) : element.hover_tips,
    context.locale,
  );
  const press = () => context.onPress({ path, behaviors: behaviorsOf(element), confirm: element.confirm ?? null });
  const node = el(
    'button.card-button',
    {
      type: 'button',
      'data-testid': 'card-button',
      'data-type': element.type ?? 'default',
      'data-size': element.size ?? 'medium',
      'data-width': element.width ?? 'default',
      'data-loading': isBusy,
      disabled: element.disabled === true || context.busy !== null,
      'data-disabled': element.disabled === true,
      title: tips || null,
      onclick: press,
    },
    isBusy ? el('span.spinner', { 'aria-hidden': 'true' }) : null,
    el('span', {}, pickText(element.text, context.locale)),
  );
  if (element.width?.endsWith('px')) node.style.width = element.width;
  return node;
}

/** What the button does; the old attributes of 1.0 are read as behaviors (FEISHU.md §5.2). */
function behaviorsOf(element) {
  if (Array.isArray(element.behaviors)) return element.behaviors;
  const url = element.multi_url?.pc_url ?? element.multi_url?.url ?? element.url;
  return [
    ...(url ? [{ type: 'open_url', default_url: url }] : []),
    ...(element.value === undefined ? [] : [{ type: 'callback', value: element.value }]),
  ];
}
