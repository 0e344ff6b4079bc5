/** Which language a browser asks for first (RFC 9110 §12.5.4), of the two that pages are written in. */

export type Language = 'zh_cn' | 'en_us';

/** A header this long is no browser's. */
const MAX_HEADER = 1_000;

/** Chinese without a wish; English for those who asked for neither. */
export function preferredLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined || acceptLanguage.length > MAX_HEADER) return 'zh_cn';
  const wishes = acceptLanguage.split(',').map(parseWish);
  const zh = weightOf('zh', wishes);
  const en = weightOf('en', wishes);
  if (zh > en) return 'zh_cn';
  if (en > 0) return zh === en && firstOf(wishes) === 'zh' ? 'zh_cn' : 'en_us';
  const anyWish = wishes.find((wish) => wish.weight > 0);
  return anyWish === undefined || anyWish.language === '*' ? 'zh_cn' : 'en_us';
}

interface Wish {
  /** Primary subtag, lower case: `zh` for `zh-Hans-CN`. */
  readonly language: string;
  readonly weight: number;
}

function parseWish(text: string): Wish {
  const [range = '', ...parameters] = text.trim().toLowerCase().split(';');
  const quality = parameters.map((parameter) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(parameter)?.[1]).find(Boolean);
  return { language: range.trim().split('-')[0] ?? '', weight: range === '' ? 0 : Number(quality ?? 1) };
}

const weightOf = (language: string, wishes: readonly Wish[]): number =>
  Math.max(0, ...wishes.filter((wish) => wish.language === language).map((wish) => wish.weight));

const firstOf = (wishes: readonly Wish[]): string | undefined =>
  wishes.find((wish) => wish.language === 'zh' || wish.language === 'en')?.language;
