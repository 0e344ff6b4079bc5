/**
 * The tenant's apps and people. A person has one open_id per app; the same open_id text may name different people in
 * different apps. Owns identity and console settings, no tokens and no messages.
 */
import { hex, type SecretBook } from './secret-book.js';

export interface App {
  appId: string;
  appSecret: string;
  name: string;
  brand: 'feishu' | 'lark';
  /** User scopes switched on in the console; undefined = whatever is asked. */
  enabledScopes: Set<string> | undefined;
  /** Tenant scopes switched on in the console: what the app may do in its own name. */
  tenantScopes: Set<string>;
  /** user_ids the app is available to; undefined = everyone. */
  available: Set<string> | undefined;
  /** 停用: stopped by the administrator. */
  disabled: boolean;
  /** 机器人 ability. */
  bot: boolean;
  /** 回调配置: the card callback is subscribed over the long connection. */
  callbacksConfigured: boolean;
  /** 刷新 user_access_token switch. */
  refreshAllowed: boolean;
  /** false: IP 白名单 does not hold the caller's address. Token endpoints do not look at it. */
  ipAllowed: boolean;
  /** 重定向 URL: where the authorize page may send people back to. */
  redirectUris: string[];
  /** Inside the client: who has granted everything before is sent back unasked, unless the link has `prompt=consent`. */
  silentConsent: boolean;
  /** 回调配置 by HTTP: clicks are posted here; undefined = over the long connection. */
  callbackUrl: string | undefined;
  /** 事件配置 by HTTP: the same for events. */
  eventUrl: string | undefined;
  /** 加密策略: encrypts and signs what is posted; undefined = plain and unsigned. */
  encryptKey: string | undefined;
  verificationToken: string;
}

export interface User {
  userId: string;
  unionId: string;
  name: string;
  locale: string;
  state: 'active' | 'frozen' | 'resigned';
  /** app_id -> open_id. */
  openIds: Record<string, string>;
}

export interface NewApp {
  appId?: string;
  appSecret?: string;
  name?: string;
  brand?: 'feishu' | 'lark';
  enabledScopes?: string[];
  tenantScopes?: string[];
  available?: (string | User)[];
  bot?: boolean;
  callbacksConfigured?: boolean;
  refreshAllowed?: boolean;
  ipAllowed?: boolean;
  redirectUris?: string[];
  silentConsent?: boolean;
  callbackUrl?: string;
  eventUrl?: string;
  encryptKey?: string;
  verificationToken?: string;
}

export interface NewUser {
  userId?: string;
  name?: string;
  locale?: string;
  openIds?: Record<string, string>;
}

/** What may be changed in the console while the simulator runs. */
export type AppChange = Partial<Omit<App, 'appId' | 'enabledScopes' | 'tenantScopes' | 'available'>> & {
  enabledScopes?: string[] | undefined;
  tenantScopes?: string[];
  available?: (string | User)[] | undefined;
};

/** One person named in any of the ways the API offers. */
export interface Person {
  openId?: string;
  userId?: string;
  user?: User;
}

/** FEISHU.md §9 no. 3: what the daemon and its preflight need. */
const TENANT_SCOPES = ['im:message', 'auth:user_access_token:read', 'application:application:self_manage'];

export class Directory {
  readonly apps = new Map<string, App>();
  readonly users = new Map<string, User>();
  readonly tenantKey = hex(8);
  readonly #secrets: SecretBook;
  readonly #brand: 'feishu' | 'lark';

  constructor(deps: { secrets: SecretBook; brand: 'feishu' | 'lark' }) {
    this.#secrets = deps.secrets;
    this.#brand = deps.brand;
  }

  addApp(input: NewApp): App {
    const app: App = {
      appId: input.appId ?? `cli_${hex(8)}`,
      appSecret: input.appSecret ?? hex(16),
      name: input.name ?? `App ${this.apps.size + 1}`,
      brand: input.brand ?? this.#brand,
      enabledScopes: input.enabledScopes ? new Set(input.enabledScopes) : undefined,
      tenantScopes: new Set(input.tenantScopes ?? TENANT_SCOPES),
      available: userIds(input.available),
      disabled: false,
      bot: input.bot ?? true,
      callbacksConfigured: input.callbacksConfigured ?? true,
      refreshAllowed: input.refreshAllowed ?? true,
      ipAllowed: input.ipAllowed ?? true,
      redirectUris: input.redirectUris ?? [],
      silentConsent: input.silentConsent ?? false,
      callbackUrl: input.callbackUrl,
      eventUrl: input.eventUrl,
      encryptKey: input.encryptKey,
      verificationToken: input.verificationToken ?? hex(16),
    };
    this.#keepSecrets(app);
    this.apps.set(app.appId, app);
    for (const user of this.users.values()) user.openIds[app.appId] ??= `ou_${hex(16)}`;
    return app;
  }

  changeApp(appId: string, change: AppChange): App {
    const app = this.app(appId);
    if (!app) throw new Error(`no app ${appId}`);
    const { enabledScopes, tenantScopes, available, ...rest } = change;
    Object.assign(app, rest);
    if ('enabledScopes' in change) app.enabledScopes = enabledScopes ? new Set(enabledScopes) : undefined;
    if (tenantScopes !== undefined) app.tenantScopes = new Set(tenantScopes);
    if ('available' in change) app.available = userIds(available);
    this.#keepSecrets(app);
    return app;
  }

  #keepSecrets(app: App): void {
    this.#secrets.keepOnce('app_secret', app.appSecret);
    this.#secrets.keepOnce('verification_token', app.verificationToken);
    if (app.encryptKey !== undefined) this.#secrets.keepOnce('encrypt_key', app.encryptKey);
  }

  addUser(input: NewUser): User {
    const user: User = {
      userId: input.userId ?? hex(4),
      unionId: `on_${hex(16)}`,
      name: input.name ?? `User ${this.users.size + 1}`,
      locale: input.locale ?? 'zh_cn',
      state: 'active',
      openIds: { ...input.openIds },
    };
    for (const appId of this.apps.keys()) user.openIds[appId] ??= `ou_${hex(16)}`;
    this.users.set(user.userId, user);
    return user;
  }

  app(appId: string | undefined): App | undefined {
    return appId === undefined ? undefined : this.apps.get(appId);
  }

  /** The open_id by which an app knows a person. */
  openId(user: User, appId: string): string {
    const openId = user.openIds[appId];
    if (openId === undefined) throw new Error(`${user.userId} has no open_id for ${appId}`);
    return openId;
  }

  byOpenId(appId: string, openId: string): User | undefined {
    for (const user of this.users.values()) if (user.openIds[appId] === openId) return user;
    return undefined;
  }

  /** Whether the open_id is known, and if so whether to this app. */
  placeOf(appId: string, openId: string): User | 'other_app' | 'unknown' {
    const user = this.byOpenId(appId, openId);
    if (user) return user;
    for (const other of this.apps.keys()) if (this.byOpenId(other, openId)) return 'other_app';
    return 'unknown';
  }

  /** The person meant, as seen by an app. Throws when there is none: a mistake in the test. */
  person(appId: string, who: Person): User {
    const user =
      who.user ??
      (who.userId === undefined ? undefined : this.users.get(who.userId)) ??
      (who.openId === undefined ? undefined : this.byOpenId(appId, who.openId));
    if (!user) throw new Error(`no such person for ${appId}: ${who.openId ?? who.userId ?? 'nobody named'}`);
    return user;
  }

  isAvailable(app: App, user: User): boolean {
    return app.available === undefined || app.available.has(user.userId);
  }
}

function userIds(people: (string | User)[] | undefined): Set<string> | undefined {
  return people && new Set(people.map((person) => (typeof person === 'string' ? person : person.userId)));
}
