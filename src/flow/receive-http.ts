/**
 * Where every HTTP callback ends: what is not Feishu's is refused without a word, the console gets its challenge back,
 * and all else goes where the frames of the long connection go (receive.ts). Its answer becomes ours: a click always
 * gets an object, and what throws is an event that could not be recorded, so Feishu hears 500 and sends it again.
 */
import type { CallbackAnswer, CallbackRefusal, OpenedCallback, RawCallback } from '../domain/http-callback.js';
import type { Metrics } from '../domain/metrics.js';
import type { ClickLink } from './click.js';
import type { Hints } from './hints.js';
import type { ReceiveFor } from './receive.js';
import { withinBudget } from './within-budget.js';

/** One line for a fault that repeats. */
export interface RefusalLog {
  warn(key: string, fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface ReceiveHttpDeps {
  readonly open: (appId: string, call: RawCallback) => Promise<OpenedCallback>;
  readonly receive: ReceiveFor;
  readonly hints: Hints;
  readonly metrics: Pick<Metrics, 'eventReceived'>;
  readonly log: RefusalLog;
}

export interface ReceiveHttp {
  /** Never rejects, and is there within the time Feishu gives. @param appId an app that gets its callbacks by HTTP */
  answer(appId: string, call: RawCallback, link: ClickLink): Promise<CallbackAnswer>;
  /** Counts and says that a request was not taken for Feishu's. */
  refused(appId: string, reason: CallbackRefusal): void;
  /** Resolves when every callback that is in hand now has its answer. */
  settled(): Promise<void>;
}

/** Feishu gives up after 3 s, the way included. Clicks have an earlier limit of their own (click.ts). */
const ANSWER_MS = 2_000;
const SEND_AGAIN: CallbackAnswer = { status: 500, body: null };

const OUR_KEY = 'is FEISHU_ENCRYPT_KEY the Encrypt Key of the console (加密策略)?';
/** What an operator looks at first. */
const LOOK_AT: Readonly<Record<CallbackRefusal, string>> = {
  bad_signature: `its signature is not right: ${OUR_KEY}`,
  unsigned: 'it has no signature',
  unencrypted: 'it is not encrypted: has the app an Encrypt Key in the console (加密策略)?',
  stale: 'its time is too far from ours: most likely the clock of this machine is wrong',
  replayed: 'the same request was accepted before',
  bad_token: 'its token is another one: is FEISHU_VERIFICATION_TOKEN the Verification Token of the console?',
  wrong_app: 'it is about another app: does the address in the console end with the id of its own app?',
  undecryptable: `it cannot be decrypted: ${OUR_KEY}`,
  too_large: 'it is larger than anything Feishu sends',
  malformed: 'it is no JSON object',
};

export function createReceiveHttp(deps: ReceiveHttpDeps): ReceiveHttp {
  const { hints, log, metrics } = deps;

  const refused = (appId: string, reason: CallbackRefusal): void => {
    metrics.eventReceived({ appId, type: null, result: 'malformed' });
    const fields = { event: 'callback.refused', app_id: appId, why: reason };
    log.warn(
      `callback ${appId} ${reason}`,
      fields,
      `A request to the callback address was refused: ${LOOK_AT[reason]}`,
    );
  };

  const judge = async (appId: string, call: RawCallback, link: ClickLink): Promise<CallbackAnswer> => {
    const opened = await deps.open(appId, call);
    if (opened.kind === 'refused') {
      refused(appId, opened.reason);
      return { status: 401, body: null };
    }
    if (opened.kind === 'challenge') return { status: 200, body: { challenge: opened.challenge } };
    try {
      return { status: 200, body: (await deps.receive(appId, opened.envelope, link)) ?? {} };
    } catch (error) {
      // Feishu may send it again as it was: what could not be accepted counts as not seen.
      hints.add(opened.release);
      throw error;
    }
  };

  const inHand = new Set<Promise<unknown>>();
  const answer: ReceiveHttp['answer'] = async (appId, call, link) => {
    const notAccepted = (fields: object, why: string): void =>
      log.warn(
        `callback ${appId} ${why}`,
        { event: 'callback.not_accepted', app_id: appId, ...fields },
        `An event ${why}; Feishu is asked to send it again`,
      );
    let failed = false;
    const answered = await withinBudget(judge(appId, call, link), ANSWER_MS, {
      fallback: SEND_AGAIN,
      onError(error) {
        failed = true;
        notAccepted({ err: error }, 'could not be accepted');
      },
    });
    if (answered === SEND_AGAIN && !failed) notAccepted({}, 'was not accepted in time');
    return answered;
  };

  return {
    refused,
    answer(appId, call, link) {
      const answering = answer(appId, call, link).finally(() => inHand.delete(answering));
      inHand.add(answering);
      return answering;
    },
    async settled() {
      await Promise.all(inHand);
    },
  };
}
