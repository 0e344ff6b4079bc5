/**
 * Feishu's markdown subset of card JSON 2.0, drawn as DOM nodes (FEISHU.md §5.2). Owns: blocks (paragraph, heading,
 * list, quote, code, rule) and inline marks. What it does not know stays on the screen as it was written.
 */
import { el } from './dom.js';

const FONT_COLOURS = new Set([
  'grey',
  'red',
  'green',
  'blue',
  'orange',
  'violet',
  'purple',
  'carmine',
  'indigo',
  'lime',
]);
const ENTITIES = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ', ensp: ' ', emsp: ' ' };

/**
 * @param {string} text
 * @param {{locale: string, nameOf: (id: string) => string | null}} context nameOf: the person behind an open_id
 * @returns {Node[]}
 */
export function drawMarkdown(text, context) {
  const blocks = [];
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  while (lines.length > 0) blocks.push(takeBlock(lines, context));
  return blocks.filter((block) => block !== null);
}

function takeBlock(lines, context) {
  const line = lines[0];
  if (line.trim() === '') {
    lines.shift();
    return null;
  }
  if (/^```/.test(line)) return takeCode(lines);
  if (/^\s*(?:-{3,}|\*{3,}|<hr\s*\/?>)\s*$/.test(line)) {
    lines.shift();
    return el('hr.md-rule');
  }
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) {
    lines.shift();
    return el(`p.md-heading.md-h${heading[1].length}`, {}, ...inline(heading[2], context));
  }
  if (/^>\s?/.test(line)) return takeQuote(lines, context);
  if (ITEM.test(line)) return takeList(lines, context, indentOf(line));
  return takeParagraph(lines, context);
}

const ITEM = /^(\s*)(?:[-*]|(\d{1,3})\.)\s+(.*)$/;
const indentOf = (line) => ITEM.exec(line)?.[1].length ?? 0;

function takeCode(lines) {
  lines.shift();
  const code = [];
  while (lines.length > 0 && !/^```/.test(lines[0])) code.push(lines.shift());
  lines.shift();
  return el('pre.md-code', {}, el('code', {}, code.join('\n')));
}

function takeQuote(lines, context) {
  const quoted = [];
  while (lines.length > 0 && /^>/.test(lines[0])) quoted.push(lines.shift().replace(/^>\s?/, ''));
  return el('blockquote.md-quote', {}, ...drawMarkdown(quoted.join('\n'), context));
}

/** Items of one depth; deeper ones become a list inside the last item. */
function takeList(lines, context, indent) {
  const first = ITEM.exec(lines[0]);
  const list = el(first[2] === undefined ? 'ul.md-list' : 'ol.md-list', { start: first[2] ?? null });
  while (lines.length > 0 && ITEM.test(lines[0]) && indentOf(lines[0]) >= indent) {
    if (indentOf(lines[0]) > indent) list.lastElementChild.append(takeList(lines, context, indentOf(lines[0])));
    else list.append(el('li', {}, ...inline(ITEM.exec(lines.shift())[3], context)));
  }
  return list;
}

function takeParagraph(lines, context) {
  const paragraph = el('p.md-text');
  while (lines.length > 0 && lines[0].trim() !== '' && !startsBlock(lines[0], paragraph)) {
    if (paragraph.hasChildNodes()) paragraph.append(el('br'));
    paragraph.append(...inline(lines.shift(), context));
  }
  return paragraph;
}

const startsBlock = (line, paragraph) =>
  paragraph.hasChildNodes() && (/^(?:```|#{1,6}\s|>\s?)/.test(line) || ITEM.test(line) || /^\s*-{3,}\s*$/.test(line));

/** Inline marks, tried in this order at every character. Inner text is drawn by the same rules. */
const MARKS = [
  { pattern: /\\([!-/:-@[-`{-~])/y, draw: ([, character]) => character },
  { pattern: /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/iy, draw: drawEntity },
  { pattern: /`([^`]+)`/y, draw: ([, code]) => el('code.md-inline-code', {}, code) },
  { pattern: /\*\*(?=\S)((?:\\.|[^\\])+?)\*\*/y, draw: ([, text], context) => el('b', {}, ...inline(text, context)) },
  { pattern: /~~(?=\S)((?:\\.|[^\\])+?)~~/y, draw: ([, text], context) => el('s', {}, ...inline(text, context)) },
  { pattern: /\*(?=[^\s*])((?:\\.|[^\\*])+?)\*/y, draw: ([, text], context) => el('i', {}, ...inline(text, context)) },
  { pattern: /\[((?:\\.|[^\]\\])*)\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)/y, draw: drawLink },
  { pattern: /<font\s+color=(['"]?)([\w-]+)\1\s*>([\s\S]*?)<\/font>/iy, draw: drawFont },
  { pattern: /<text_tag\s+color=(['"]?)([\w-]+)\1\s*>([\s\S]*?)<\/text_tag>/iy, draw: drawTag },
  { pattern: /<at\s+(?:id|ids)=(['"]?)([^'">\s]+)\1[^>]*>(?:[^<]*<\/at>)?/iy, draw: drawMention },
  { pattern: /<local_datetime\s+([^>]*)>(?:<\/local_datetime>)?/iy, draw: drawTime },
  { pattern: /<br\s*\/?>/iy, draw: () => el('br') },
  // Bare addresses become links in the client.
  { pattern: /https?:\/\/[^\s<>"'）)\]]+/iy, draw: ([url], context) => drawLink([url, url, url], context) },
];

/** @returns {(Node | string)[]} */
export function inline(text, context) {
  const nodes = [];
  let plain = '';
  let at = 0;
  while (at < text.length) {
    const [drawn, length] = takeMark(text, at, context);
    if (length === 0) {
      plain += text[at];
      at += 1;
    } else if (typeof drawn === 'string') {
      plain += drawn;
      at += length;
    } else {
      nodes.push(plain, drawn);
      plain = '';
      at += length;
    }
  }
  return [...nodes, plain].filter((node) => node !== '');
}

function takeMark(text, at, context) {
  for (const { pattern, draw } of MARKS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) continue;
    const { lastIndex } = pattern;
    return [draw(match, context), lastIndex - at];
  }
  return ['', 0];
}

function drawEntity([source, decimal, hex, name]) {
  if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? source;
  const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : source;
}

/** Only addresses a client opens; anything else stays text. */
export const isOpenable = (url) => /^(?:https?|lark|mailto|tel):/i.test(url);

function drawLink([source, label, url], context) {
  if (!isOpenable(url)) return source;
  const text = label === url ? [url] : inline(label, context);
  return el('a.md-link', { href: url, target: '_blank', rel: 'noopener noreferrer' }, ...text);
}

function drawFont([, , colour, text], context) {
  const name = colour.toLowerCase();
  return el(`span${FONT_COLOURS.has(name) ? `.font-${name}` : ''}`, {}, ...inline(text, context));
}

function drawTag([, , colour, text], context) {
  return el('span.text-tag', { 'data-colour': colour }, ...inline(text, context));
}

function drawMention([, , id], context) {
  if (id === 'all') return el('span.mention', {}, context.locale === 'zh_cn' ? '@所有人' : '@Everyone');
  return el('span.mention', {}, `@${context.nameOf(id) ?? id}`);
}

/** The client's own time element: shown in the reader's time zone and language. */
function drawTime([source, attributes], context) {
  const read = (name) => new RegExp(`${name}=['"]?([^'"\\s>]+)`, 'i').exec(attributes)?.[1];
  const time = new Date(Number(read('millisecond') ?? Number.NaN));
  if (Number.isNaN(time.getTime())) return source;
  const language = context.locale === 'zh_cn' ? 'zh-CN' : 'en-US';
  return el('time', { datetime: time.toISOString() }, time.toLocaleString(language, timeFormat(read('format_type'))));
}

function timeFormat(type) {
  const formats = {
    date_num: { year: 'numeric', month: '2-digit', day: '2-digit' },
    date_short: { month: 'short', day: 'numeric' },
    date: { year: 'numeric', month: 'long', day: 'numeric' },
    week: { weekday: 'short' },
    week_long: { weekday: 'long' },
    time: { hour: '2-digit', minute: '2-digit', hour12: false },
    time_sec: { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false },
    timezone: { timeZoneName: 'shortOffset', hour: '2-digit' },
  };
  return formats[type] ?? { ...formats.date_num, ...formats.time };
}
