/** JSON Schema of the status, a component of the OpenAPI document. It documents status-json.ts; a test holds the two together. */
import { FAILURE_REASONS, SESSION_STATES } from '../domain/session.js';
import { FINDINGS, VERDICTS } from '../domain/verdict.js';
import { EXAMPLES } from './examples.js';
import { exactly, text, textOrNull, time, timeOrNull } from './schemas.js';

const count = { type: 'integer', minimum: 0 } as const;
const countOrNull = { type: ['integer', 'null'], minimum: 0 } as const;
const codeOrNull = { type: ['integer', 'null'] } as const;
const listOf = (items: object) => ({ type: 'array', items }) as const;
const counts = { type: 'object', additionalProperties: count } as const;

/** In both languages. */
const wordsOrNull = { ...exactly({ zh_cn: text, en_us: text }), type: ['object', 'null'] } as const;
const meaning = { cause: wordsOrNull, remedy: wordsOrNull } as const;

const finding = exactly({
  name: { type: 'string', enum: FINDINGS },
  severity: { type: 'string', enum: ['broken', 'degraded'] },
  app_id: textOrNull,
  subject: { ...textOrNull, description: 'Which queue, API or process' },
  value: { type: ['number', 'null'], description: 'How many, for how many seconds, or a ratio' },
  feishu_code: codeOrNull,
  log_id: textOrNull,
  ...meaning,
});

const process = exactly({
  process: { type: 'string', description: 'host:pid' },
  answers: { type: 'boolean', description: 'It has given this answer' },
  version: text,
  roles: listOf(text),
  started_at: time,
  silent_seconds: { ...count, description: 'Since it told of itself; 35 s later it counts as gone' },
  connections: listOf(
    exactly({
      app_id: text,
      state: { type: 'string', enum: ['idle', 'connecting', 'connected', 'reconnecting', 'stopped'] },
      since: time,
      last_event_at: timeOrNull,
      trouble: { ...exactly({ cause: text, feishu_code: codeOrNull, log_id: textOrNull }), type: ['object', 'null'] },
    }),
  ),
  stalled_queues: listOf(text),
  spool_entries: { ...countOrNull, description: 'Token sets in STATE_DIR; null: it cannot be read' },
});

const sessions = exactly({
  created: { ...count, description: 'In the last hour' },
  counted: { ...count, description: 'How many of them, the newest, the following is about; at most 500' },
  by_state: { ...counts, propertyNames: { enum: SESSION_STATES } },
  failures: listOf(exactly({ failure_reason: { type: 'string', enum: FAILURE_REASONS }, count, ...meaning })),
  newest: listOf(
    exactly({
      session_id: text,
      state: { type: 'string', enum: SESSION_STATES },
      failure_reason: { type: ['string', 'null'], enum: [...FAILURE_REASONS, null] },
      client_id: text,
      created_at: time,
      ended_at: timeOrNull,
    }),
  ),
});

const grants = exactly({
  active: { ...count, description: 'Usable now, or renewable' },
  suspended: { ...count, description: 'Kept until an operator has acted' },
  reauthorization_required: count,
  revoked: { ...count, description: 'Withdrawn by the user, until she consents again' },
  expiring_within_1d: { ...count, description: 'Unless they are renewed' },
  expiring_within_7d: { ...count, description: 'Unless they are renewed' },
});

export const statusSchema = {
  $id: 'Status',
  ...exactly({
    at: time,
    version: text,
    verdict: { type: 'string', enum: VERDICTS },
    findings: listOf(finding),
    redis: exactly({ answers: { type: 'boolean' }, persistence_ok: { type: ['boolean', 'null'] } }),
    encryption_keys_missing: countOrNull,
    processes: listOf(process),
    apps: listOf(
      exactly({
        app_id: text,
        callbacks: { type: 'string', enum: ['long_connection', 'http'] },
        sessions: { ...sessions, type: ['object', 'null'] },
        grants: { ...grants, type: ['object', 'null'] },
        budgets: {
          ...listOf(
            exactly({ api: text, used_ratio: { type: 'number', description: 'Of the last minute; 1: used up' } }),
          ),
          type: ['array', 'null'],
        },
      }),
    ),
    queues: {
      ...listOf(exactly({ queue: text, jobs: counts, oldest_age_seconds: { type: 'number' } })),
      type: ['array', 'null'],
    },
    errors: listOf(
      exactly({
        event: { type: 'string', description: 'Of the line of the log' },
        level: { type: 'string', enum: ['warn', 'error', 'fatal'] },
        app_id: textOrNull,
        code: { ...textOrNull, description: 'Why, in one word' },
        feishu_code: codeOrNull,
        log_id: textOrNull,
        message: text,
        ...meaning,
        count,
        first_at: time,
        last_at: time,
        processes: listOf(text),
      }),
    ),
  }),
  examples: [EXAMPLES.Status],
} as const;
