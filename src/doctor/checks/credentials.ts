/** App id and secret: does Feishu give a tenant token for them (FEISHU.md §4.1). The token is kept for later checks. */
import type { AppConfig } from '../../config/config.js';
import { FeishuError } from '../../domain/feishu-error.js';
import type { TenantToken } from '../../feishu/open-api/tenant-token.js';
import { type Finding, pass, text } from '../finding.js';
import type { Explain } from '../meanings.js';
import { callFinding } from '../refusals.js';

export interface CredentialsResult {
  readonly finding: Finding;
  /** `refused`: Feishu knows them to be wrong. */
  readonly verdict: 'accepted' | 'refused' | 'unknown';
}

export interface CredentialsCheck {
  readonly app: Pick<AppConfig, 'appId' | 'openBaseUrl'>;
  readonly tenantToken: Pick<TenantToken, 'get'>;
  readonly explain: Explain;
}

export async function checkCredentials({ app, explain, tenantToken }: CredentialsCheck): Promise<CredentialsResult> {
  const { appId } = app;
  try {
    await tenantToken.get();
  } catch (error) {
    if (!(error instanceof FeishuError)) throw error;
    const finding = callFinding('credentials', error, { explain, places: ['any_api'] }, appId);
    return { finding, verdict: error.kind === 'refused' ? 'refused' : 'unknown' };
  }
  const means = text('Feishu accepts App ID and App Secret', '飞书接受 App ID 和 App Secret');
  return { finding: pass('credentials', means, { appId }), verdict: 'accepted' };
}
