/**
 * pm2: two gateways and one process for API and jobs, on one host. Owns what pm2 needs to know; settings of the daemon
 * belong into CONFIG_FILE, secrets into files.
 *
 *   pm2 start ecosystem.config.cjs     start what is not running
 *   npm run reload                     new version or new settings, one process after the other
 *   pm2 save                           so that `pm2 startup` finds them after a reboot
 *
 * Not `pm2 reload`: for processes like these it is stop, then start, and takes two at once. Not `--update-env`: it
 * copies your shell into what pm2 writes to disk.
 *
 * FEISHU_AUTHD_CONFIG_DIR (default /etc/feishu-authd) holds config.json and one file per secret in secrets/, named
 * like its variable in lower case: feishu_app_secret, token_encryption_keys, api_keys, redis_url, and where they are
 * needed https_proxy, http_proxy, feishu_encrypt_key, feishu_verification_token (chmod 600, owned by the user who runs
 * pm2). FEISHU_AUTHD_PORT (default 9780) is the API's port; the two above it are the gateways' health and metrics. Set
 * both in that user's profile if you change them.
 */
const { existsSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const CONFIG_DIR = process.env.FEISHU_AUTHD_CONFIG_DIR || '/etc/feishu-authd';
const PORT = Number(process.env.FEISHU_AUTHD_PORT || 9780);
/** Seconds the daemon may take to finish what is in hand. */
const SHUTDOWN_TIMEOUT = 8;

/** What API and jobs need; a gateway never sees an API key. */
const SECRETS = [
  'FEISHU_APP_SECRET',
  'FEISHU_ENCRYPT_KEY',
  'FEISHU_VERIFICATION_TOKEN',
  'TOKEN_ENCRYPTION_KEYS',
  'API_KEYS',
  'REDIS_URL',
  'HTTPS_PROXY',
  'HTTP_PROXY',
];
const GATEWAY_SECRETS = SECRETS.filter((name) => name !== 'API_KEYS');

if (!Number.isInteger(PORT) || PORT < 1 || PORT > 65_533) throw new Error('FEISHU_AUTHD_PORT is no port number');
if (process.env.PM2_USAGE === 'CLI') forgetTheShell();

module.exports = {
  apps: [
    { name: 'feishu-authd-gateway-a', env: settings('gateway', PORT + 1, GATEWAY_SECRETS), ...common() },
    { name: 'feishu-authd-gateway-b', env: settings('gateway', PORT + 2, GATEWAY_SECRETS), ...common() },
    { name: 'feishu-authd', env: settings('worker,api', PORT, SECRETS), ...common() },
  ],
};

/**
 * pm2 copies the environment of the shell into ~/.pm2/dump.pm2, in the clear, at a start and at a restart with this
 * file (`filter_env` covers only the first). This file is read in pm2's command line process before that happens.
 */
function forgetTheShell() {
  const kept = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'PM2_HOME'];
  for (const name of Object.keys(process.env)) {
    if (!kept.includes(name) && name !== 'PM2_USAGE') delete process.env[name];
  }
}

/** Environment goes before CONFIG_FILE. */
function settings(roles, httpPort, secrets) {
  return {
    CONFIG_FILE: join(CONFIG_DIR, 'config.json'),
    ROLES: roles,
    HTTP_PORT: String(httpPort),
    LOG_FORMAT: 'json',
    SHUTDOWN_TIMEOUT: String(SHUTDOWN_TIMEOUT),
    ...secretFiles(secrets),
  };
}

/**
 * `NAME_FILE` for each secret there is a file of; the daemon says which ones it misses. The others are set to nothing,
 * because pm2 keeps what a restart does not name.
 */
function secretFiles(names) {
  const folder = join(CONFIG_DIR, 'secrets');
  const present = existsSync(folder) ? readdirSync(folder) : [];
  const pathOf = (name) => {
    const file = name.toLowerCase();
    return names.includes(name) && present.includes(file) ? join(folder, file) : '';
  };
  return Object.fromEntries(SECRETS.map((name) => [`${name}_FILE`, pathOf(name)]));
}

function common() {
  return {
    script: 'dist/main.js',
    args: 'start',
    cwd: __dirname,
    // The node that runs pm2, also where PATH names another one.
    interpreter: process.execPath,
    exec_mode: 'fork',
    instances: 1,
    // "ready" is said as soon as HTTP is served: a Redis or Feishu that is away is waited for and must not end a start.
    wait_ready: true,
    listen_timeout: 30_000,
    // pm2 stops with SIGINT and kills after this; the daemon needs SHUTDOWN_TIMEOUT at the most.
    kill_timeout: (SHUTDOWN_TIMEOUT + 4) * 1000,
    // It has no children to be looked for (and `ps` may be missing).
    treekill: false,
    // A crash is a bug: again after 0.1 s, then slower, up to 15 s. pm2 forgets that after 30 s of quiet.
    exp_backoff_restart_delay: 100,
    // Configuration, keys, cards, Redis' settings or a port must be corrected first: see the error log. pm2 calls such
    // a process "waiting restart" (7.0.4), but it waits for you.
    stop_exit_codes: [2],
    watch: false,
    // One JSON object a line in ~/.pm2/logs/<name>-out.log; pm2 must add nothing to them. It does not rotate them.
    merge_logs: true,
    time: false,
    // No agent of pm2 inside the process that holds tokens, no look at git.
    pmx: false,
    vizion: false,
  };
}
