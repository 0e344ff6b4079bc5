/**
 * Chooses the way of a push: by HTTP when the console has an address for its kind, else over the long connection.
 * Source: FEISHU.md §2.5, §3.
 */
import type { App, Directory } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { Faults } from '../faults.js';
import type { Delivery, Push, PushOutcome } from '../gateway/delivery.js';
import type { Settings } from '../options.js';
import type { HttpPost, WebhookOutcome } from './http-post.js';
import { type WebhookChange, webhookRequest } from './webhook-request.js';

/** `http` only matters for pushes that go by HTTP, and everything about frames and connections only for the others. */
export interface Dispatched extends Push {
  http?: WebhookChange;
}

export type DispatchOutcome = PushOutcome | WebhookOutcome;

export interface DispatchDeps {
  settings: Settings;
  directory: Directory;
  delivery: Delivery;
  post: HttpPost;
  faults: Faults;
  events: EventStream;
}

export class Dispatch {
  readonly #deps: DispatchDeps;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  callback(push: Dispatched): Promise<DispatchOutcome> {
    const app = this.#deps.directory.app(push.appId);
    return app?.callbackUrl ? this.#byHttp(push, app, app.callbackUrl) : this.#deps.delivery.push(push);
  }

  event(push: Dispatched): Promise<DispatchOutcome> {
    const app = this.#deps.directory.app(push.appId);
    return app?.eventUrl ? this.#byHttp(push, app, app.eventUrl) : this.#deps.delivery.push(push);
  }

  /** Copies have the same body under signatures of their own; the answer to the first one counts. */
  async #byHttp(push: Dispatched, app: App, url: string): Promise<WebhookOutcome> {
    const { settings, faults, post, events } = this.#deps;
    const to = { url, encryptKey: app.encryptKey };
    const payload = typeof push.payload === 'string' ? push.payload : Buffer.from(push.payload).toString('utf8');
    const request = webhookRequest(to, payload, settings.now(), push.http);
    const fault = faults.takeDelivery(push.appId, 'duplicate');
    const copies = fault?.kind === 'duplicate' ? fault.copies : (push.copies ?? 1);
    const answer = post.send(request);
    for (let copy = 1; copy < copies; copy += 1) {
      const again = webhookRequest(to, payload, settings.now(), { ...push.http, body: request.body });
      void post.send(again).then((outcome) => {
        events.emit('ack.ignored', { app_id: push.appId, reason: 'copy', ...codeOf(outcome) });
      });
    }
    const outcome = await answer;
    if (outcome.kind === 'answered') events.emit('ack', { app_id: push.appId, ...codeOf(outcome) });
    return outcome;
  }
}

const codeOf = (outcome: WebhookOutcome): { code?: number } =>
  outcome.kind === 'answered' && outcome.ack.code !== undefined ? { code: outcome.ack.code } : {};
