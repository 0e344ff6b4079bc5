/** Examples for the OpenAPI document. A test holds each of them to its schema. */

const SCOPES = ['offline_access', 'docx:document:readonly'];

const Session = {
  session_id: 'as_a1b2c3d4e5f60718_0198c0de1a2b3c4d5e6f708192a3b4c5',
  state: 'pending',
  app_id: 'cli_a1b2c3d4e5f60718',
  client_id: 'minutes',
  open_id: 'ou_84aad35d084aa403a838cf73ee18467c',
  scopes: SCOPES,
  granted_scopes: [],
  missing_scopes: [],
  reason: 'To file the minutes of your meetings',
  message_id: null,
  created_at: '2026-03-02T08:00:00.000Z',
  expires_at: '2026-03-03T08:00:00.000Z',
  ended_at: null,
  failure_reason: null,
  failure_detail: null,
  next_session_id: null,
  metadata: { ticket: 'OPS-17' },
};

const UserStatus = {
  status: 'active',
  scopes: SCOPES,
  expires_at: '2026-03-02T10:00:00.000Z',
  refresh_expires_at: '2026-03-09T08:00:00.000Z',
  authorized_at: '2026-03-02T08:00:00.000Z',
  renewable: true,
};

const Status = {
  at: '2026-03-02T08:00:05.000Z',
  version: '0.1.0',
  verdict: 'degraded',
  findings: [
    {
      name: 'queue_stuck',
      severity: 'degraded',
      app_id: null,
      subject: 'card-update',
      value: 75,
      feishu_code: null,
      log_id: null,
      cause: null,
      remedy: null,
    },
  ],
  redis: { answers: true, persistence_ok: true },
  encryption_keys_missing: 0,
  processes: [
    {
      process: 'authd-1:4711',
      answers: true,
      version: '0.1.0',
      roles: ['gateway', 'worker', 'api'],
      started_at: '2026-03-01T08:00:00.000Z',
      silent_seconds: 0,
      connections: [
        {
          app_id: Session.app_id,
          state: 'connected',
          since: '2026-03-02T02:00:00.000Z',
          last_event_at: Session.created_at,
          trouble: null,
        },
      ],
      stalled_queues: [],
      spool_entries: 0,
    },
  ],
  apps: [
    {
      app_id: Session.app_id,
      callbacks: 'long_connection',
      sessions: {
        created: 1,
        counted: 1,
        by_state: { pending: 1 },
        failures: [],
        newest: [
          {
            session_id: Session.session_id,
            state: 'pending',
            failure_reason: null,
            client_id: Session.client_id,
            created_at: Session.created_at,
            ended_at: null,
          },
        ],
      },
      grants: {
        active: 120,
        suspended: 0,
        reauthorization_required: 3,
        revoked: 1,
        expiring_within_1d: 0,
        expiring_within_7d: 118,
      },
      budgets: [{ api: 'im.message.create', used_ratio: 0.004 }],
    },
  ],
  queues: [{ queue: 'card-update', jobs: { waiting: 12, active: 0 }, oldest_age_seconds: 75.2 }],
  errors: [
    {
      event: 'card.update_failed',
      level: 'warn',
      app_id: Session.app_id,
      code: null,
      feishu_code: 11232,
      log_id: '20260302160005ABCDEF',
      message: 'A card could not be shown; it is tried again',
      cause: { zh_cn: '飞书繁忙', en_us: 'Feishu is busy' },
      remedy: { zh_cn: '无需处理：会自动重试。', en_us: 'Nothing to do: it is tried again.' },
      count: 2,
      first_at: Session.created_at,
      last_at: '2026-03-02T08:00:04.000Z',
      processes: ['authd-1:4711'],
    },
  ],
} as const;

export const EXAMPLES = {
  Session,
  AskedSession: { ...Session, already_authorized: false, session: Session },
  AlreadyAuthorized: { already_authorized: true, session: null, user: UserStatus },
  UserStatus,
  Token: {
    access_token: 'eyJhbGciOiJFUzI1NiIs…',
    token_type: 'Bearer',
    expires_at: UserStatus.expires_at,
    expires_in: 7_140,
    scopes: SCOPES,
  },
  Keyring: {
    keys: [
      { id: 'k2', seals: true, configured: true, uses: 4_711, removable: false },
      { id: 'k1', seals: false, configured: true, uses: 0, removable: true },
    ],
    reseal: {
      running: false,
      done: 9_034,
      total: 9_034,
      target_key_id: 'k2',
      finished_at: '2026-03-02T08:05:00.000Z',
    },
  },
  Status,
  Readiness: {
    status: 'degraded',
    parts: [
      { part: 'redis', ok: true, detail: '' },
      { part: 'long_connection', app_id: Session.app_id, ok: false, detail: 'Reconnecting for 40 s' },
    ],
  },
  Problem: {
    type: 'urn:feishu-authd:session_not_found',
    title: 'No such session',
    status: 404,
    detail: 'There is no session with this id',
    code: 'session_not_found',
  },
  refreshToken: { if_expires_at: UserStatus.expires_at },
  createSession: { open_id: Session.open_id, scopes: ['docx:document:readonly'], reason: Session.reason },
} as const;
