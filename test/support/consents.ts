/**
 * Consent by whichever grant a card has its link from: the user code of a device grant, or the address of Feishu's page
 * of an authorization code grant. By the latter her browser goes on to the redirect URI, as browsers do.
 */
import type { Person } from '../simulator/directory.js';
import type { Simulator } from '../simulator/index.js';

/** What a browser was shown. */
export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Consents {
  /** `link`: a user code or an address. Gives 'ok', or what Feishu's page says instead. */
  consent(consent: Person & { link: string; scopes?: string[] }): string;
  deny(denial: Person & { link: string }): string;
  /** What browsers ended on at the redirect URI so far, in the order of the redirects. */
  pages(): Promise<readonly Page[]>;
  /** Nobody reloads a page any more. */
  leave(): Promise<void>;
}

/** How long people go on reloading a page that says to try again, or that does not load at all. */
const PATIENCE_MS = 60_000;
const RELOAD_AFTER_MS = 500;

export function newConsents(sim: Simulator): Consents {
  const pages: Promise<Page>[] = [];
  const browse = (answer: ReturnType<Simulator['authorize']>): string => {
    if (answer.redirectTo === undefined) return String(answer.errorCode);
    pages.push(openPatiently(answer.redirectTo));
    return 'ok';
  };
  let left = false;
  const openPatiently = async (url: string): Promise<Page> => {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const page = await openPage(url);
      if ((page.status !== 0 && page.status !== 503) || left || Date.now() > deadline) return page;
      await new Promise((resolve) => setTimeout(resolve, RELOAD_AFTER_MS));
    }
  };
  const isAddress = (link: string): boolean => link.includes('://');

  return {
    consent: ({ link, ...consent }) =>
      isAddress(link) ? browse(sim.authorize({ url: link, ...consent })) : sim.consent({ userCode: link, ...consent }),
    deny: ({ link, ...denial }) =>
      isAddress(link)
        ? browse(sim.authorize({ url: link, ...denial, decision: 'deny' }))
        : sim.deny({ userCode: link, ...denial }),
    pages: () => Promise.all(pages),
    async leave() {
      left = true;
      await Promise.all(pages);
    },
  };
}

/** A page that could not be loaded has status 0: her browser says so, and she may reload it. */
export async function openPage(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
  try {
    const answer = await fetch(url, { redirect: 'manual', headers, signal: AbortSignal.timeout(30_000) });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  } catch (error) {
    return { status: 0, headers: new Headers(), text: String(error) };
  }
}

/** The links that a card or a message offers now, each once. */
export function linksIn(sim: Pick<Simulator, 'deviceCodes'>, content: unknown): string[] {
  const shown = JSON.stringify(content ?? '');
  const codes = sim.deviceCodes().filter(({ userCode }) => shown.includes(userCode));
  if (codes.length > 0) return codes.map(({ userCode }) => userCode);
  const addresses = [...shown.matchAll(/"(?:default_url|href)":"([^"]+)"/g)].map(
    ([, applink = '']) => new URL(applink).searchParams.get('url') ?? applink,
  );
  return [...new Set(addresses)];
}

/** The link that a card or a message offers now, if any. */
export const linkIn = (sim: Pick<Simulator, 'deviceCodes'>, content: unknown): string | undefined =>
  linksIn(sim, content)[0];

/** The session that a link of the authorization code grant names in its state. */
export function sessionOfLink(link: string | undefined): string | undefined {
  const state = link?.includes('://') ? new URL(link).searchParams.get('state') : null;
  if (state === null) return undefined;
  const payload = JSON.parse(Buffer.from(state.split('.')[0] ?? '', 'base64url').toString('utf8'));
  return String(payload.session_id);
}
