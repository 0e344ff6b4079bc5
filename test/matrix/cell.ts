/**
 * One cell of the matrix: brings the victim to the point, lets the fault strike, waits for what becomes of the grant, and
 * judges it by what clients were told, what the user has seen and what Feishu's ledger holds. Never throws.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generationAtFeishu, refreshCalls } from '../support/grants.js';
import { authorizeByCard } from '../support/person.js';
import { eventually, titleOf } from '../support/steps.js';
import type { Fault, Outcome, Strike } from './faults.js';
import { wrongInLedger } from './ledger.js';
import type { Point, Standing } from './points.js';
import { storyOf } from './story.js';
import { newWorld, type Reading, type World } from './world.js';

export interface Verdict {
  readonly point: Point;
  readonly fault: Fault;
  readonly outcome: Outcome | 'wrong' | 'n/a';
  /** From the fault to the end of it for the clients. */
  readonly seconds: number;
  /** What is wrong, or why there is nothing to try. */
  readonly notes: readonly string[];
}

/** The longest way: a lease, a claim of the schedule, the wait for a foreign successor. */
const SETTLE_MS = 75_000;
const REACH_MS = 30_000;
/** For the proof: a busy lease or a halt may have to end first. */
const PROOF_MS = 40_000;
/** CONTRACT §5 names none; the API itself stops waiting after 2.5 s and 15 s. */
const LONGEST_ANSWER_MS = 19_000;
const SPOOL_MS = 15_000;

/** An aborted cell is wrong, and closes what it has opened. */
export async function runCell(point: Point, fault: Fault, signal?: AbortSignal): Promise<Verdict> {
  const expected = fault.expected(point);
  if (expected !== 'kept' && expected !== 'asked') {
    return { point, fault, outcome: 'n/a', seconds: 0, notes: [expected.slice(1, -1)] };
  }
  const closers: (() => Promise<void>)[] = [];
  const notes: string[] = [];
  let outcome: Verdict['outcome'] = 'wrong';
  let seconds = 0;
  const play = async (): Promise<void> => {
    const world = await newWorld(fault.world, (close) => void closers.push(close));
    const strike = await fault.prepare(world, point);
    const standing = await stand(world, point, strike);
    const isSilenced = fault.silences === true && point.stage !== 'stored';
    const silenced = isSilenced ? refreshCalls(world.scene).at(-1) : undefined;
    const since = performance.now();
    await strike.strike(standing);
    const settled = await settle(world);
    seconds = (performance.now() - since) / 1_000;
    assert.equal(settled, expected, 'what became of the grant');
    await (settled === 'kept' ? proveKept(world, point) : proveAsked(world));
    notes.push(...wrongInLedger(refreshCalls(world.scene), silenced), ...wrongAnswers(world, settled));
    if (settled === 'asked') await authorizeAgain(world);
    if (notes.length === 0) outcome = settled;
  };
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  await Promise.race([play(), aborted]).catch((error: unknown) => notes.push(textOf(error)));
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    await close().catch((error: unknown) => {
      notes.push(textOf(error));
      outcome = 'wrong';
    });
  }
  return { point, fault, outcome, seconds, notes };
}

async function stand(world: World, point: Point, strike: Strike): Promise<Standing> {
  await world.ripe();
  const reached = strike.reached ?? (await point.arm(world)).reached;
  world.begin();
  const late = sleep(REACH_MS, null, { ref: false });
  const standing = await Promise.race([reached, late]);
  assert.ok(standing, `the refresh did not reach the point: ${storyOf(world.victim)}`);
  return standing;
}

/** Waits until all daemons that are awake tell the same, and it is what Feishu would say. */
async function settle(world: World): Promise<Outcome> {
  const { scene } = world;
  const before = world.readings.length;
  const look = async (): Promise<Outcome | false> => {
    if (world.isUnread) return await lookBeside(world);
    const last = [...world.awake].map((daemon) => world.readings.findLast((reading) => reading.daemon === daemon));
    const answers = last.map((reading) => reading?.answer);
    if (world.readings.length === before || answers.some((answer) => answer === undefined)) return false;
    const newest = newestToken(world);
    if (answers.every((answer) => answer?.status === 200 && answer.body.access_token === newest)) return 'kept';
    const isAsked = answers.every((answer) => answer?.status === 409) && scene.sim.messagesTo(scene.openId).length > 1;
    return isAsked ? 'asked' : false;
  };
  const told = (): string =>
    world.readings
      .slice(-4)
      .map(({ answer }) => `${answer.status} ${answer.text.slice(0, 200)}`)
      .join('\n');
  return await eventually(look, SETTLE_MS).catch((error: unknown) => {
    throw new Error(`nothing became of it. ${textOf(error)}\n${told()}${storyOf(world.victim)}`);
  });
}

/** Without asking for a token, which would set a refresh off. */
async function lookBeside(world: World): Promise<Outcome | false> {
  const { scene } = world;
  if ((await world.generation()) > world.firstGeneration) return 'kept';
  return scene.sim.messagesTo(scene.openId).length > 1 ? 'asked' : false;
}

const newestToken = ({ scene }: World): string | undefined =>
  scene.sim.accessTokens().findLast(({ openId }) => openId === scene.openId)?.token;

/** The refresh token that is stored is the one that lives: it is redeemed once more. */
async function proveKept(world: World, point: Point): Promise<void> {
  const { scene } = world;
  const path = `/v1/users/${scene.openId}`;
  const before = generationAtFeishu(scene);
  const prover = world.other ?? world.victim;
  const told: string[] = [];
  await eventually(async () => {
    const answer = await prover.call('POST', `${path}/token/refresh`, {});
    told.push(`${answer.status} ${String(answer.body?.code)} ${String(answer.body?.feishu_code)}`);
    return answer.status === 200;
  }, PROOF_MS).catch(() => assert.fail(`the proof failed: ${told.join('; ')}`));
  // One that was told to wait may have been served behind its back.
  const more = generationAtFeishu(scene) - before;
  assert.ok(more >= 1 && more <= told.length, `${more} generations more at Feishu; it was told ${told.join('; ')}`);
  for (const daemon of world.awake) {
    await eventually(
      async () => (await daemon.call('GET', `${path}/token`)).body.access_token === newestToken(world),
      5_000,
    );
    assert.equal((await daemon.call('GET', path)).body.status, 'active');
  }
  assert.equal(scene.sim.messagesTo(scene.openId).length, 1, 'cards the user has got');
  if (point.stage !== 'spooled' && point.stage !== 'stored') return;
  for (const stateDir of world.stateDirs) {
    await eventually(async () => (await readdir(join(stateDir, 'spool'))).length === 0, SPOOL_MS);
  }
}

/** Feishu has consumed the token and nobody holds its successor; the user has one card for it. */
async function proveAsked(world: World): Promise<void> {
  const { openId, sim } = world.scene;
  const newest = sim.refreshLedger.filter((token) => token.openId === openId).at(-1);
  assert.equal(newest?.used, 0, 'the successor was never used');
  assert.ok((newest?.generation ?? 0) > 1, 'Feishu has consumed the token');
  const cards = sim.messagesTo(openId);
  assert.equal(cards.length, 2, 'cards the user has got');
  assert.match(titleOf(cards.at(-1)?.content), /asks to act as you/);
  for (const daemon of world.awake) {
    const { body } = await daemon.call('GET', `/v1/users/${openId}`);
    assert.equal(body.status, 'reauthorization_required');
  }
}

/** And the card works. */
async function authorizeAgain(world: World): Promise<void> {
  const { openId, sim } = world.scene;
  await authorizeByCard(world.scene, sim.messagesTo(openId).at(-1)?.messageId ?? '');
  for (const daemon of world.awake) {
    await eventually(async () => (await daemon.call('GET', `/v1/users/${openId}/token`)).status === 200, 5_000);
  }
}

/** Clients are told to wait, or get a token; that the user must be asked only when she must. */
function wrongAnswers(world: World, outcome: Outcome): string[] {
  // Until the token that was read last ends, or it is known that it was the last.
  const end = world.readings.findIndex(({ answer }) => answer.status === 409);
  const isRight = ({ answer: { status } }: Reading, i: number): boolean =>
    outcome === 'kept' || i < end ? [200, 503].includes(status) : [503, 409].includes(status);
  const odd = world.readings.filter((reading, i) => !isRight(reading, i));
  const slow = world.readings.filter(({ ms }) => ms > LONGEST_ANSWER_MS);
  return [
    ...odd.slice(0, 1).map(({ answer }) => `a client was told ${answer.status} ${answer.text.slice(0, 60)}`),
    ...slow.slice(0, 1).map(({ ms }) => `a client waited ${Math.round(ms)} ms`),
  ];
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
