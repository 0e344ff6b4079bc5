/** Which of the two languages is spoken: as chosen here before, else as the browser wishes. */

const STORED = 'feishu-authd.language';
export const LANGUAGES = { zh_cn: '中文', en_us: 'English' };

export function readLanguage() {
  const chosen = localStorage.getItem(STORED);
  if (chosen !== null && chosen in LANGUAGES) return chosen;
  return /^zh\b/i.test(navigator.language) ? 'zh_cn' : 'en_us';
}

export const keepLanguage = (language) => localStorage.setItem(STORED, language);
