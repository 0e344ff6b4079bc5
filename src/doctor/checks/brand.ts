/**
 * FEISHU_BRAND: credentials belong to one of the two clouds (FEISHU.md §1). Only when ours refuses them is the other one
 * asked, and only from an app on the public hosts: a secret meant for a host of one's own goes nowhere else.
 */
import { HOSTS_BY_BRAND } from '../../config/addresses.js';
import type { AppConfig, Brand } from '../../config/config.js';
import { type Finding, fail, pass, skip, type Text, text } from '../finding.js';
import type { CredentialsResult } from './credentials.js';
import type { LongConnectionResult } from './long-connection.js';

export interface BrandCheck {
  readonly app: AppConfig;
  readonly credentials: CredentialsResult['verdict'];
  readonly longConnection: LongConnectionResult['failure'];
  /** Whether the API at this base URL gives a tenant token for the app. */
  readonly accepts: (openBaseUrl: string) => Promise<boolean>;
}

const NAMES: Readonly<Record<Brand, Text>> = {
  feishu: text('Feishu (mainland)', '飞书（国内版）'),
  lark: text('Lark (international)', 'Lark（国际版）'),
};

export async function checkBrand({ accepts, app, credentials, longConnection }: BrandCheck): Promise<Finding> {
  const { appId, brand } = app;
  const other: Brand = brand === 'feishu' ? 'lark' : 'feishu';
  if (longConnection?.reason === 'wrong_brand') {
    const { feishuCode = null, logId = null } = longConnection;
    return wrongBrand(other, { appId, feishuCode, logId });
  }
  if (credentials === 'accepted') {
    const means = text(`The app belongs to ${NAMES[brand].en}`, `应用属于${NAMES[brand].zh}`);
    return pass('brand', means, { appId });
  }
  if (credentials === 'unknown') {
    return skip(
      'brand',
      text('Not known without an answer about the credentials', '凭证没有得到回答，无法判断'),
      null,
      {
        appId,
      },
    );
  }
  if (app.openBaseUrl !== HOSTS_BY_BRAND[brand].openBaseUrl) {
    const means = text('Not asked: the app has its own API host', '没有询问：应用使用自定义的 API 域名');
    return skip('brand', means, null, { appId });
  }
  if (await accepts(HOSTS_BY_BRAND[other].openBaseUrl)) return wrongBrand(other, { appId });
  const means = text('Neither Feishu nor Lark accepts the credentials', '飞书和 Lark 都不接受这组凭证');
  return skip('brand', means, null, { appId });
}

function wrongBrand(right: Brand, facts: Parameters<typeof pass>[2]): Finding {
  return fail(
    'brand',
    'configuration',
    text(`The app belongs to ${NAMES[right].en}`, `应用属于${NAMES[right].zh}`),
    text(
      `Set FEISHU_BRAND=${right} (or the app's \`brand\` in CONFIG_FILE).`,
      `设置 FEISHU_BRAND=${right}（或 CONFIG_FILE 里该应用的 brand）。`,
    ),
    facts,
  );
}
