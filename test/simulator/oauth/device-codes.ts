/**
 * Device codes and what people did with them. A code is bound to nobody: whoever confirms gives their own token.
 * Source: FEISHU.md §6.3, RFC 8628.
 */
import type { User } from '../directory.js';
import type { Settings } from '../options.js';
import { randomText, type SecretBook, userCode } from '../secret-book.js';

export interface DeviceCode {
  deviceCode: string;
  userCode: string;
  appId: string;
  scopes: string[];
  createdAt: number;
  expiresAt: number;
  intervalSeconds: number;
  state: 'pending' | 'approved' | 'denied' | 'redeemed';
  user?: User;
  grantedScopes?: string[];
  consentAt?: number;
  lastPollAt?: number;
  polls: number;
}

export class DeviceCodes {
  readonly #byDeviceCode = new Map<string, DeviceCode>();
  readonly #byUserCode = new Map<string, DeviceCode>();
  readonly #deps: { settings: Settings; secrets: SecretBook };

  constructor(deps: { settings: Settings; secrets: SecretBook }) {
    this.#deps = deps;
  }

  issue(appId: string, scopes: string[]): DeviceCode {
    const { settings, secrets } = this.#deps;
    const createdAt = settings.now();
    const code: DeviceCode = {
      deviceCode: secrets.keep('device_code', randomText(64)),
      userCode: secrets.keep('user_code', userCode()),
      appId,
      scopes,
      createdAt,
      expiresAt: createdAt + settings.deviceCodeLifeSeconds * 1000,
      intervalSeconds: settings.deviceIntervalSeconds,
      state: 'pending',
      polls: 0,
    };
    this.#byDeviceCode.set(code.deviceCode, code);
    this.#byUserCode.set(code.userCode, code);
    return code;
  }

  byDeviceCode(deviceCode: string): DeviceCode | undefined {
    return this.#byDeviceCode.get(deviceCode);
  }

  /** People type codes with or without the dash, in any case. */
  byUserCode(typed: string): DeviceCode | undefined {
    const plain = typed.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
    return this.#byUserCode.get(`${plain.slice(0, 4)}-${plain.slice(4)}`);
  }

  all(): DeviceCode[] {
    return [...this.#byDeviceCode.values()];
  }

  expire(userCode: string): void {
    const code = this.byUserCode(userCode);
    if (code) code.expiresAt = this.#deps.settings.now();
  }

  isExpired(code: DeviceCode): boolean {
    return code.expiresAt <= this.#deps.settings.now();
  }

  /** What the consent page shows. */
  statusOf(code: DeviceCode): 'pending' | 'approved' | 'denied' | 'expired' {
    if (code.state === 'redeemed' || code.state === 'approved') return 'approved';
    if (code.state === 'denied') return 'denied';
    return this.isExpired(code) ? 'expired' : 'pending';
  }
}
