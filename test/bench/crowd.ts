/**
 * Many people at their cards at once: each presses Authorize as soon as her card is there, agrees on Feishu's page some
 * time after the card shows the link, and waits for the card to turn by itself. Driven by what the simulated chat shows;
 * notes when each of these things happened (`performance.now()`).
 */
import { buttonsOf } from '../simulator/demo/card-buttons.js';
import type { User } from '../simulator/directory.js';
import type { Simulator } from '../simulator/simulator.js';
import type { BenchContext } from './benchmark.js';

export interface Visit {
  readonly user: User;
  /** From the link on her card to her consent. */
  readonly thinkMs: number;
  clicks: number;
  linkAt: number | null;
  consentedAt: number | null;
  authorizedAt: number | null;
}

export interface Crowd {
  readonly visits: readonly Visit[];
  /** How many cards say "Authorized". */
  count(): number;
  /** Resolves when all cards do, or when the time is over. */
  finished(limitMs: number): Promise<void>;
}

const USER_CODE = /\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/;
/** She presses again when nothing has come of it. */
const AGAIN_MS = 2_000;
const MOST_CLICKS = 10;
const PROGRESS_MS = 5_000;

/** Everyone in `users` who gets a card of the app from now on. `thinkMs`: by the index of the user. */
export function gatherCrowd(
  context: BenchContext,
  options: {
    readonly sim: Simulator;
    readonly appId: string;
    readonly users: readonly User[];
    readonly thinkMs: (index: number) => number;
    /** For lines of progress. */
    readonly name: string;
  },
): Crowd {
  const { appId, name, sim } = options;
  const visits = options.users.map((user, index): Visit => {
    return {
      user,
      thinkMs: options.thinkMs(index),
      clicks: 0,
      linkAt: null,
      consentedAt: null,
      authorizedAt: null,
    };
  });
  const byUser = new Map(visits.map((visit) => [visit.user.userId, visit]));
  const timers = new Set<NodeJS.Timeout>();
  let count = 0;
  let wake: () => void = () => undefined;
  const later = (ms: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };

  const look = (visit: Visit, messageId: string): void => {
    const content = sim.message(messageId)?.content;
    if (content === undefined || visit.authorizedAt !== null) return;
    if (visit.consentedAt !== null) {
      if (!JSON.stringify(content).includes('Authorized')) return;
      visit.authorizedAt = performance.now();
      count += 1;
      if (count === visits.length) wake();
      return;
    }
    if (visit.linkAt !== null) return;
    const buttons = buttonsOf(content);
    const link = buttons.find((button) => button.url !== undefined)?.url;
    if (link !== undefined) agreeLater(visit, decodeURIComponent(link));
    else {
      const value = buttons.find((button) => button.action === 'authorize')?.value;
      if (value !== undefined && visit.clicks === 0) press(visit, messageId, value);
    }
  };

  const press = (visit: Visit, messageId: string, value: Record<string, unknown>): void => {
    if (visit.linkAt !== null || visit.clicks === MOST_CLICKS) return;
    visit.clicks += 1;
    void sim.click({ messageId, user: visit.user, value });
    later(AGAIN_MS, () => press(visit, messageId, value));
  };

  const agreeLater = (visit: Visit, link: string): void => {
    visit.linkAt = performance.now();
    const userCode = USER_CODE.exec(link)?.[0] ?? '';
    later(visit.thinkMs, () => {
      visit.consentedAt = performance.now();
      const outcome = sim.consent({ userCode, user: visit.user });
      if (outcome !== 'ok') context.say(`${name}: a consent was not taken (${outcome})`);
    });
  };

  for (const type of ['message', 'updated'] as const) {
    sim.on(type, ({ data }) => {
      const visit = data['app_id'] === appId ? byUser.get(String(data['user_id'])) : undefined;
      if (visit !== undefined) look(visit, String(data['message_id']));
    });
  }
  context.after(() => {
    for (const timer of timers) clearTimeout(timer);
  });

  return {
    visits,
    count: () => count,
    async finished(limitMs) {
      const progress = setInterval(() => {
        const links = visits.filter((visit) => visit.linkAt !== null).length;
        context.say(`${name}: ${links} have a link, ${count} of ${visits.length} are authorized`);
      }, PROGRESS_MS);
      const all = new Promise<void>((resolve) => {
        wake = resolve;
        if (count === visits.length) resolve();
        else later(limitMs, resolve);
      });
      await all;
      clearInterval(progress);
    },
  };
}

/** From consent to the card that says so, milliseconds; without those who never saw it. */
export const turnedAfter = (crowd: Crowd): number[] =>
  crowd.visits.flatMap(({ authorizedAt, consentedAt }) =>
    authorizedAt === null || consentedAt === null ? [] : [authorizedAt - consentedAt],
  );
