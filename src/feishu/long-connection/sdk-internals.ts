/**
 * What is used of the SDK's WSClient beyond its public face: version 1.74.0, lib/index.js, class WSClient. Types and one
 * check only; sdk-patch.ts is what uses them. test/feishu/long-connection-sdk.test.ts fails when the version or the
 * text of any of these methods changes: then read the new source, mend sdk-patch.ts, and pin the new version.
 */
import type { WSClient } from '@larksuiteoapi/node-sdk';
import type WebSocket from 'ws';

export interface Header {
  readonly key: string;
  readonly value: string;
}

export interface Frame {
  headers: readonly Header[];
}

interface WsSettings {
  connectUrl: string;
  pingInterval: number;
  serviceId: string;
}

/** What is used of WSClient beyond its public face. */
export interface Internals {
  readonly wsConfig: {
    getWS(): WsSettings;
    updateWs(change: Partial<WsSettings>): void;
    setWSInstance(socket: WebSocket | null): void;
  };
  readonly dataCache: { mergeData(fragment: { sum: number }): unknown };
  livenessTimer: NodeJS.Timeout | undefined;
  pingInterval: NodeJS.Timeout | undefined;
  connect(): Promise<boolean>;
  communicate(): void;
  armLiveness(): void;
  clearLiveness(): void;
  pingLoop(): void;
  handleControlData(frame: Frame): Promise<void>;
  handleEventData(frame: Frame): Promise<void>;
  sendMessage(frame: Frame): void;
}

/** The methods of WSClient this file replaces or calls; the contract test pins them. */
export const PATCHED_METHODS = [
  'connect',
  'communicate',
  'armLiveness',
  'clearLiveness',
  'pingLoop',
  'handleControlData',
  'handleEventData',
  'sendMessage',
] as const satisfies readonly (keyof Internals)[];

/** Throws when the client does not look like the version this was written for. */
export function internalsOf(client: WSClient): Internals {
  const internals = client as unknown as Internals;
  const usable =
    PATCHED_METHODS.every((name) => typeof internals[name] === 'function') &&
    typeof internals.wsConfig?.updateWs === 'function' &&
    typeof internals.wsConfig.getWS === 'function' &&
    typeof internals.wsConfig.setWSInstance === 'function' &&
    typeof internals.dataCache?.mergeData === 'function';
  if (!usable) throw new Error('WSClient has changed inside');
  return internals;
}
