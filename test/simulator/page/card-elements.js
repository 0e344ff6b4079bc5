/**
 * Draws the components of a card's body. Owns: everything but the button (card-button.js) and texts. A tag that is
 * not drawn here shows a grey note with its name, so that it is never just missing.
 */
import { drawButton } from './card-button.js';
import { applySpacing } from './card-layout.js';
import { drawText, pickText } from './card-text.js';
import { el, ICONS, icon } from './dom.js';
import { drawMarkdown } from './markdown.js';
import { words } from './texts.js';

/** @param {string} path where the list is, for keys of pressed and folded components */
export const drawElements = (elements, path, context) =>
  elements.map((element, index) => drawElement(element, `${path}.${index}`, context));

const DRAWERS = {
  markdown: drawMarkdownElement,
  div: drawDiv,
  hr: () => el('hr.card-rule'),
  column_set: drawColumnSet,
  collapsible_panel: drawPanel,
  button: drawButton,
  interactive_container: drawInteractive,
  form: (element, path, context) => el('div.card-column', {}, ...drawElements(element.elements ?? [], path, context)),
  img: (element, _path, context) => el('div.card-image', {}, pickText(element.alt, context.locale)),
  plain_text: (element, _path, context) => el('div.card-text', {}, ...drawText(element, context)),
  // 1.0: a row of buttons.
  action: (element, path, context) => el('div.card-row', {}, ...drawElements(element.actions ?? [], path, context)),
};

function drawElement(element, path, context) {
  const draw = DRAWERS[element?.tag];
  const node = draw
    ? draw(element, path, context)
    : el('div.card-unsupported', {}, words(context.locale, 'unsupported', { tag: element?.tag ?? '?' }));
  if (element?.margin) node.style.margin = element.margin;
  if (element?.element_id) node.dataset.elementId = element.element_id;
  return node;
}

function styleText(node, text) {
  if (text.text_size) node.dataset.size = text.text_size;
  if (text.text_align) node.style.textAlign = text.text_align;
  if (text.text_color) node.dataset.colour = text.text_color;
}

function drawMarkdownElement(element, _path, context) {
  const node = el('div.card-markdown', { 'data-testid': 'card-markdown' });
  node.append(...drawMarkdown(pickText(element, context.locale), context));
  styleText(node, element);
  return node;
}

function drawDiv(element, _path, context) {
  const node = el('div.card-text', { 'data-testid': 'card-text' }, ...drawText(element.text, context));
  styleText(node, element.text ?? {});
  return node;
}

function drawColumnSet(element, path, context) {
  const node = el('div.card-columns', {
    'data-flex': element.flex_mode ?? 'none',
    'data-align': element.horizontal_align ?? 'left',
    'data-background': element.background_style ?? null,
  });
  applySpacing(node, element);
  node.append(...(element.columns ?? []).map((column, index) => drawColumn(column, `${path}.${index}`, context)));
  return node;
}

function drawColumn(column, path, context) {
  const node = el('div.card-column', {
    'data-vertical-align': column.vertical_align ?? 'top',
    'data-background': column.background_style ?? null,
    'data-direction': column.direction ?? 'vertical',
  });
  if (column.width === 'weighted') node.style.flex = `${column.weight ?? 1} 1 0`;
  else if (column.width?.endsWith('px')) node.style.flex = `0 0 ${column.width}`;
  applySpacing(node, column);
  node.append(...drawElements(column.elements ?? [], path, context));
  return node;
}

function drawPanel(element, path, context) {
  const title = element.header?.title;
  const label =
    title?.tag === 'plain_text' ? drawText(title, context) : drawMarkdown(pickText(title, context.locale), context);
  const expanded = (element.expanded === true) !== context.folded.has(path);
  const node = el(
    'details.card-panel',
    { open: expanded, 'data-bordered': element.border !== undefined },
    el('summary', { 'data-testid': 'card-panel-title' }, el('span', {}, ...label), icon(ICONS.down, 14)),
    el('div.card-panel-body', {}, ...drawElements(element.elements ?? [], path, context)),
  );
  node.addEventListener('toggle', () => {
    if (node.open === (element.expanded === true)) context.folded.delete(path);
    else context.folded.add(path);
  });
  return node;
}

function drawInteractive(element, path, context) {
  const press = () => context.onPress({ path, behaviors: element.behaviors ?? [], confirm: element.confirm ?? null });
  return el(
    'div.interactive',
    { onclick: element.disabled ? null : press, 'data-bordered': element.has_border === true },
    ...drawElements(element.elements ?? [], path, context),
  );
}
