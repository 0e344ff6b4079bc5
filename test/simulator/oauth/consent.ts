/**
 * What a person does on the consent page: agree (to all or some scopes) or refuse. Source: FEISHU.md §6.1, §6.3.
 */
import type { Directory, Person } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { Settings } from '../options.js';
import type { DeviceCode, DeviceCodes } from './device-codes.js';
import type { TokenBook } from './token-book.js';

export interface Consent extends Person {
  userCode: string;
  /** Ticks only these; default all that was asked. */
  scopes?: string[];
}

/** `unknown_code`: never issued; `settled`: someone has already agreed or refused. */
export type ConsentOutcome = 'ok' | 'unknown_code' | 'expired' | 'settled' | 'not_available';

export interface ConsentDeps {
  settings: Settings;
  directory: Directory;
  codes: DeviceCodes;
  tokens: TokenBook;
  events: EventStream;
}

export class ConsentPage {
  readonly #deps: ConsentDeps;

  constructor(deps: ConsentDeps) {
    this.#deps = deps;
  }

  consent(consent: Consent): ConsentOutcome {
    const { directory, settings, tokens, events } = this.#deps;
    const code = this.#open(consent.userCode);
    if (typeof code === 'string') return code;
    const user = directory.person(code.appId, consent);
    const app = directory.app(code.appId);
    // 20010 of the real page: the person is outside the app's availability.
    if (!app || !directory.isAvailable(app, user) || user.state !== 'active') return 'not_available';
    const ticked = code.scopes.filter((scope) => consent.scopes === undefined || consent.scopes.includes(scope));
    code.state = 'approved';
    code.user = user;
    code.consentAt = settings.now();
    code.grantedScopes = tokens.grant(code.appId, user, ticked);
    events.emit('consent', { app_id: code.appId, user_code: code.userCode, user_id: user.userId });
    return 'ok';
  }

  deny(denial: Person & { userCode: string }): ConsentOutcome {
    const code = this.#open(denial.userCode);
    if (typeof code === 'string') return code;
    code.state = 'denied';
    this.#deps.events.emit('denied', { app_id: code.appId, user_code: code.userCode });
    return 'ok';
  }

  #open(userCode: string): DeviceCode | Exclude<ConsentOutcome, 'ok'> {
    const code = this.#deps.codes.byUserCode(userCode);
    if (!code) return 'unknown_code';
    if (code.state !== 'pending') return 'settled';
    return this.#deps.codes.isExpired(code) ? 'expired' : code;
  }
}
