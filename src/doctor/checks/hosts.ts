/** Feishu's hosts, each distinct one once however many apps use it: DNS, TCP, TLS, proxy. */
import type { AppConfig } from '../../config/config.js';
import type { HostProbe } from '../../feishu/host-probe.js';
import { type CheckName, type Finding, fail, pass, type Text, text } from '../finding.js';

export type HostRole = 'open' | 'accounts' | 'applink';

/** Whether a host can be reached; every URL is looked at once. */
export interface Hosts {
  /** The lines of all hosts, in the order of their roles. */
  findings(): Promise<readonly Finding[]>;
  isReachable(url: string): Promise<boolean>;
}

const ROLES: readonly HostRole[] = ['open', 'accounts', 'applink'];

export function createHosts(apps: readonly AppConfig[], probe: (url: string) => Promise<HostProbe>): Hosts {
  const probes = new Map<string, Promise<HostProbe>>();
  const probeOnce = (url: string): Promise<HostProbe> => {
    const begun = probes.get(url) ?? probe(url);
    probes.set(url, begun);
    return begun;
  };
  const targets = ROLES.flatMap((role) =>
    [...new Set(apps.map((app) => urlOf(app, role)))].map((url) => ({ role, url })),
  );
  return {
    findings: () => Promise.all(targets.map(async ({ role, url }) => hostFinding(role, url, await probeOnce(url)))),
    isReachable: async (url) => (await probeOnce(url)).failure === null,
  };
}

function urlOf(app: AppConfig, role: HostRole): string {
  if (role === 'open') return app.openBaseUrl;
  return role === 'accounts' ? app.accountsBaseUrl : app.applinkBaseUrl;
}

/** What each way to fail means; anything else counts as unreachable. */
const TROUBLE: Readonly<Record<'dns' | 'tls' | 'proxy' | 'unreachable', readonly [what: Text, remedy: Text]>> = {
  dns: [
    text('its name cannot be resolved', '域名无法解析'),
    text(
      'Check the DNS of this machine, or set HTTPS_PROXY if Feishu is reached by a proxy only.',
      '检查本机的 DNS；若只能经代理访问飞书，请设置 HTTPS_PROXY。',
    ),
  ],
  tls: [
    text('its certificate is not accepted', '证书不被接受'),
    text(
      "Check this machine's clock. If a proxy or firewall opens TLS, name its authority in NODE_EXTRA_CA_CERTS (for the daemon, too).",
      '检查本机时钟。若有代理或防火墙解密 TLS，请在 NODE_EXTRA_CA_CERTS 里指定其证书颁发机构（守护进程同样需要）。',
    ),
  ],
  proxy: [
    text('the proxy does not let the connection through', '代理不放行该连接'),
    text(
      'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, that the proxy runs, and that it allows CONNECT to this host.',
      '检查 HTTPS_PROXY、HTTP_PROXY、NO_PROXY，确认代理在运行，并允许以 CONNECT 访问该域名。',
    ),
  ],
  unreachable: [
    text('there is no connection', '连接不上'),
    text(
      'Check the firewall and the way out of this machine; set HTTPS_PROXY if Feishu is reached by a proxy only.',
      '检查防火墙和本机的出口；若只能经代理访问飞书，请设置 HTTPS_PROXY。',
    ),
  ],
};

function hostFinding(role: HostRole, url: string, { failure, ms, proxy }: HostProbe): Finding {
  const check: CheckName = `host.${role}`;
  const [byEn, byZh] = proxy === null ? ['', ''] : [` by proxy ${proxy}`, `（经代理 ${proxy}）`];
  if (failure === null) {
    return pass(check, text(`${url} answers in ${ms} ms${byEn}`, `${url} 在 ${ms} 毫秒内回答${byZh}`));
  }
  const { errorCode, httpStatus, reason } = failure;
  const [what, remedy] = TROUBLE[reason === 'dns' || reason === 'tls' || reason === 'proxy' ? reason : 'unreachable'];
  const code = errorCode ?? (httpStatus === undefined ? 'unknown error' : `HTTP ${httpStatus}`);
  const means = text(`${url}: ${what.en} (${code})${byEn}`, `${url}：${what.zh}（${code}）${byZh}`);
  return fail(check, 'network', means, remedy);
}
