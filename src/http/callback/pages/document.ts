/**
 * Content as an HTML document: complete, without script, in both languages, the preferred one shown first. Everything
 * from outside is escaped here and nowhere else.
 */
import { createHash } from 'node:crypto';
import type { LocalizedText } from '../../../config/config.js';
import type { Language } from '../language.js';
import type { Content, PageText, Tone } from './content.js';
import { escapeHtml } from './escape.js';
import { STYLE } from './style.js';

interface Tongue {
  readonly language: Language;
  /** Also the id of its radio button and the class of its texts. */
  readonly id: 'zh' | 'en';
  /** BCP 47. */
  readonly tag: string;
  readonly ownName: string;
}

const TONGUES: readonly Tongue[] = [
  { language: 'zh_cn', id: 'zh', tag: 'zh-CN', ownName: '中文' },
  { language: 'en_us', id: 'en', tag: 'en', ownName: 'English' },
];

const ICONS: Readonly<Record<Tone, string>> = {
  good: '<path d="m5 12.5 5 5 9.500-11"/>',
  plain: '<circle cx="12" cy="12" r="10"/><path d="M12 11v6M12 7v.01"/>',
  attention: '<path d="M12 3 1.500 21h21zM12 10v5M12 18v.01"/>',
  bad: '<path d="m6 6 12 12M18 6 6 18"/>',
  busy: '<path d="M21 12a9 9 0 1 1-6.200-8.560"/>',
};

const SUPPORT: LocalizedText = { zh_cn: '给支持人员的信息', en_us: 'Details for support' };

/** For the Content-Security-Policy: the hash of what stands between the style tags. */
export const styleHash = (): string => `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

export function renderDocument(content: Content, preferred: Language): string {
  const { refreshSeconds, tone } = content;
  // Without an address: the browser loads the same one again, and the code in it stays out of the document.
  const refresh = refreshSeconds === null ? '' : `\n<meta http-equiv="refresh" content="${refreshSeconds}">`;
  const inOrder = TONGUES.toSorted((a, b) => Number(b.language === preferred) - Number(a.language === preferred));
  const [first] = inOrder;
  return `<!DOCTYPE html>
<html lang="${first?.tag ?? 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">${refresh}
<title>${inOrder.map(({ language }) => plainText(content.title, language, content)).join(' · ')}</title>
<style>${STYLE}</style>
</head>
<body>
${refreshSeconds === null ? languageSwitch(preferred) : ''}<main class="${tone}">
<span class="icon" aria-hidden="true"><svg viewBox="0 0 24 24">${ICONS[tone]}</svg></span>
${inOrder.map((tongue) => inTongue(content, tongue)).join('\n')}
</main>
</body>
</html>
`;
}

/** Radio buttons and their labels. A page that loads itself again would forget the choice: it shows both languages. */
function languageSwitch(preferred: Language): string {
  const labels = TONGUES.map(({ id, ownName, tag }) => `<label for="${id}" lang="${tag}">${ownName}</label>`);
  const radios = TONGUES.map((tongue) => radio(tongue, preferred));
  return `${radios.join('\n')}\n<header>${labels.join('')}</header>\n`;
}

const radio = ({ id, language, ownName, tag }: Tongue, preferred: Language): string =>
  `<input class="choice" type="radio" name="language" id="${id}" lang="${tag}" aria-label="${ownName}"${language === preferred ? ' checked' : ''}>`;

function inTongue(content: Content, { id, language, tag }: Tongue): string {
  const paragraphs = (texts: readonly PageText[]): string =>
    texts.map((text) => `<p>${markedText(text, language, content)}</p>`).join('\n');
  const items = content.list.map((text) => `<li><bdi>${escapeHtml(text[language])}</bdi></li>`).join('\n');
  const list = items === '' ? '' : `\n<ul>\n${items}\n</ul>`;
  const next = content.next.length === 0 ? '' : `\n<div class="next">\n${paragraphs(content.next)}\n</div>`;
  return `<section class="${id}" lang="${tag}">
<h1>${markedText(content.title, language, content)}</h1>
${paragraphs(content.happened)}${list}${next}${support(content, language)}
</section>`;
}

function support({ details }: Content, language: Language): string {
  if (details.length === 0) return '';
  const rows = details.map(
    ({ label, value }) => `<dt>${escapeHtml(label[language])}</dt><dd><bdi>${escapeHtml(value)}</bdi></dd>`,
  );
  return `\n<div class="support">\n<h2>${SUPPORT[language]}</h2>\n<dl>${rows.join('')}</dl>\n</div>`;
}

/** A name may be written from right to left: `bdi` keeps it from turning the sentence around it. */
const markedText = (text: PageText, language: Language, content: Content): string =>
  fill(text[language], content, (value) => `<bdi>${escapeHtml(value[language])}</bdi>`);

const plainText = (text: PageText, language: Language, content: Content): string =>
  fill(text[language], content, (value) => escapeHtml(value[language]));

/** One pass: what a variable holds is never read as a template. */
function fill(template: string, { variables }: Content, show: (value: LocalizedText) => string): string {
  return escapeHtml(template).replace(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return value === undefined ? whole : show(value);
  });
}
