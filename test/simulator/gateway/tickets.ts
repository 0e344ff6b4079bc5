/**
 * The credentials inside a connection URL: good for one connection and for a short time. Source: FEISHU.md §2.1.
 */
import type { Settings } from '../options.js';
import { digits, hex, type SecretBook, uuid } from '../secret-book.js';

export interface Ticket {
  appId: string;
  accessKey: string;
  serviceId: number;
  expiresAt: number;
}

export class Tickets {
  readonly #tickets = new Map<string, Ticket>();
  readonly #deps: { settings: Settings; secrets: SecretBook };

  constructor(deps: { settings: Settings; secrets: SecretBook }) {
    this.#deps = deps;
  }

  /** The URL for one connection. `fpid` comes first because clients parse the whole URL as a query string. */
  issueUrl(appId: string, baseUrl: string): string {
    const { settings, secrets } = this.#deps;
    const ticket = secrets.keep('ws_ticket', uuid());
    const accessKey = secrets.keep('ws_access_key', hex(16));
    const serviceId = Number(digits(8));
    this.#tickets.set(ticket, {
      appId,
      accessKey,
      serviceId,
      expiresAt: settings.now() + settings.limits.ticketLifeMs,
    });
    const query = {
      fpid: '493',
      aid: '552564',
      device_id: digits(19),
      access_key: accessKey,
      service_id: String(serviceId),
      ticket,
    };
    return `${baseUrl.replace(/^http/, 'ws')}/ws/v2?${new URLSearchParams(query)}`;
  }

  /** The ticket a handshake presents, used up by this; undefined when it is not good. */
  redeem(requestUrl: string): Ticket | undefined {
    const url = new URL(requestUrl, 'http://simulator');
    const presented = url.searchParams.get('ticket') ?? '';
    const ticket = this.#tickets.get(presented);
    if (url.pathname !== '/ws/v2' || ticket?.accessKey !== url.searchParams.get('access_key')) return undefined;
    this.#tickets.delete(presented);
    return ticket && ticket.expiresAt > this.#deps.settings.now() ? ticket : undefined;
  }
}
