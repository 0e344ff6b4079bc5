/**
 * The configuration as the rest of the daemon sees it: checked, complete, frozen. CONTRACT §2 holds the names of the
 * variables, their defaults and meanings. Units are in the names.
 */

export type Brand = 'feishu' | 'lark';
export type AuthGrant = 'device_code' | 'authorization_code';
/** How the user is asked: by a card, or by a plain message with a link. */
export type CardKind = 'card' | 'link';
/** How clicks and events come to us. */
export type CardCallback = 'long_connection' | 'http';
export type Role = 'gateway' | 'worker' | 'api';
export type ClientAction = 'ask' | 'status' | 'token' | 'revoke' | 'admin';

/** One self-built app. Base URLs have no trailing slash. */
export interface AppConfig {
  readonly appId: string;
  /** Secret. */
  readonly appSecret: string;
  readonly brand: Brand;
  readonly openBaseUrl: string;
  readonly accountsBaseUrl: string;
  readonly applinkBaseUrl: string;
  readonly authGrant: AuthGrant;
  readonly card: CardKind;
  readonly cardCallback: CardCallback;
  /** Secret. Signs and encrypts what comes by HTTP; never null with `http`. */
  readonly encryptKey: string | null;
  /** Secret. null: not compared. */
  readonly verificationToken: string | null;
  /** Default scopes, `offline_access` included. */
  readonly authScopes: readonly string[];
}

export interface LocalizedText {
  readonly zh_cn: string;
  readonly en_us: string;
}

/** A service that asks. One made by API_KEYS has no `displayName` and no limits. */
export interface ClientConfig {
  readonly id: string;
  readonly displayName: LocalizedText | null;
  /** SHA-256 of each accepted secret, lower-case hex. */
  readonly secretSha256: readonly string[];
  /** null: every app. */
  readonly apps: readonly string[] | null;
  /** Scopes it may ask for and read; null: every scope. */
  readonly scopes: readonly string[] | null;
  readonly actions: readonly ClientAction[];
}

export interface EncryptionKey {
  readonly id: string;
  /** Secret: 32 bytes. */
  readonly key: Buffer;
}

export interface ProxyConfig {
  readonly httpsProxy: string | null;
  readonly httpProxy: string | null;
  readonly noProxy: string | null;
}

export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Config {
  readonly apps: readonly AppConfig[];
  readonly clients: readonly ClientConfig[];
  readonly session: { readonly ttlSeconds: number; readonly retentionDays: number };
  readonly oauthRedirectUri: string | null;
  readonly callbackServer: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
    /** Addresses and networks whose X-Forwarded-For is believed. */
    readonly trustedProxies: readonly string[];
  };
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly tls: TlsConfig | null;
    readonly allowPlaintext: boolean;
  };
  /** null: health and metrics are served by the API's port only. */
  readonly metricsPort: number | null;
  readonly redis: { readonly url: string; readonly keyPrefix: string; readonly allowEviction: boolean };
  /** The first seals, all open. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly tokens: {
    readonly refreshThreshold: number;
    readonly refreshPolicy: 'adaptive' | 'always';
    readonly grantMaxIdleDays: number;
  };
  readonly stateDir: string;
  readonly ws: {
    readonly reconnectBaseMs: number;
    readonly reconnectMaxMs: number;
    readonly pongTimeoutSeconds: number;
    /** 0: never. */
    readonly rotateAfterSeconds: number;
  };
  readonly cards: { readonly limitPerUserPerHour: number; readonly timezone: string };
  readonly roles: readonly Role[];
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'pretty' | 'auto' };
  readonly shutdownTimeoutSeconds: number;
  readonly proxy: ProxyConfig;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
