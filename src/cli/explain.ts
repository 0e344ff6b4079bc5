/**
 * What a code means, wherever it is met: Feishu's numbers and `error` names, our API's codes, reasons of failed sessions
 * and of lost connections. Pure, offline. The English texts are those the daemon itself uses; the Chinese ones stand
 * beside them.
 */
import type { LocalizedText } from '../config/config.js';
import { TRANSLATIONS } from './explain/chinese/translations.js';
import { type Entry, type Language, type Meaning, PLACES, type Place } from './explain/meaning.js';
import { SOURCES } from './explain/sources.js';
import { WORDS } from './explain/words.js';

/** Every meaning of a code, ours first; empty when no table knows it. */
export function explain(code: string, language: Language): readonly Meaning[] {
  return PLACES.flatMap((place) => {
    const entries = SOURCES[place];
    const entry = Object.hasOwn(entries, code) ? entries[code] : undefined;
    return entry === undefined ? [] : [meaningOf(code, place, entry, language)];
  });
}

/** One meaning in both languages, for texts that are put together from several. null: not known in that place. */
export function explainBoth(code: string, place: Place): { readonly cause: Both; readonly remedy: Both } | null {
  const [en, zh] = LANGUAGES.map((language) => explain(code, language).find((meaning) => meaning.place === place));
  if (en === undefined || zh === undefined) return null;
  return { cause: { en: en.cause, zh: zh.cause }, remedy: { en: en.remedy, zh: zh.remedy } };
}

/** The same in the words of our API. */
export function explainLocalized(
  code: string,
  place: Place,
): { readonly cause: LocalizedText; readonly remedy: LocalizedText } | null {
  const meaning = explainBoth(code, place);
  const localized = ({ en, zh }: Both): LocalizedText => ({ en_us: en, zh_cn: zh });
  return meaning === null ? null : { cause: localized(meaning.cause), remedy: localized(meaning.remedy) };
}

type Both = Readonly<Record<Language, string>>;
const LANGUAGES = ['en', 'zh'] as const satisfies readonly Language[];

/** The language of a terminal: LC_ALL before LC_MESSAGES before LANG, as in POSIX. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || '';
  return /^zh([_.@-]|$)/i.test(locale) ? 'zh' : 'en';
}

function meaningOf(code: string, place: Place, entry: Entry, language: Language): Meaning {
  const english = [capitalized(entry.cause), entry.remedy] as const;
  const [cause, remedy] = (language === 'zh' ? TRANSLATIONS[place][code] : undefined) ?? english;
  return { place, where: WORDS[language].places[place], cause, remedy, for: entry.for };
}

/** The tables hold the ends of sentences. */
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
