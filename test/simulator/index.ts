/**
 * Feishu in a box: builds the parts of the simulator and wires them. Construction only.
 */
import { CallLedger } from './call-ledger.js';
import { CallbackTokens } from './chat/callback-tokens.js';
import { Chats } from './chat/chats.js';
import { Clicks } from './chat/clicks.js';
import { authorizePageRoute, authorizeRoutes } from './control/authorize-routes.js';
import { controlRoutes } from './control/routes.js';
import { type App, Directory } from './directory.js';
import { EventStream } from './event-stream.js';
import { Faults } from './faults.js';
import { Delivery } from './gateway/delivery.js';
import { endpointRoute } from './gateway/endpoint.js';
import { EventPusher, envelope } from './gateway/event-pusher.js';
import { Gateway } from './gateway/gateway.js';
import { type ApiDeps, type ApiRoute, apiRoute } from './http/api.js';
import { Listener } from './http/listener.js';
import { AuthorizationCodes } from './oauth/authorization-codes.js';
import { AuthorizePage } from './oauth/authorize-page.js';
import { ConsentPage } from './oauth/consent.js';
import { deviceAuthorizationRoute } from './oauth/device-authorization.js';
import { DeviceCodes } from './oauth/device-codes.js';
import { revokeRoute } from './oauth/revoke.js';
import { TokenBook } from './oauth/token-book.js';
import { tokenRoute } from './oauth/token-endpoint.js';
import { appInfoRoute } from './open-api/app-info.js';
import { cardUpdateRoute } from './open-api/card-update.js';
import { messageRoutes } from './open-api/message-routes.js';
import { sendMessageRoute } from './open-api/send-message.js';
import { TenantTokens, tenantTokenRoute } from './open-api/tenant-tokens.js';
import { userInfoRoute } from './open-api/user-info.js';
import { type SimulatorOptions, settingsFrom } from './options.js';
import { People } from './people.js';
import { RateLimits } from './rate-limits.js';
import { SecretBook } from './secret-book.js';
import type { Simulator } from './simulator.js';
import { Timers } from './timers.js';
import { Dispatch } from './webhook/dispatch.js';
import { HttpPost } from './webhook/http-post.js';
import { verifyUrl } from './webhook/url-verification.js';

export type { SimulatorOptions } from './options.js';
export type { Simulator } from './simulator.js';

/** Starts a simulator and resolves once it listens. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = settingsFrom(options);
  const { now } = settings;
  const timers = new Timers();
  const secrets = new SecretBook();
  const events = new EventStream({ now });
  const ledger = new CallLedger();
  const limits = new RateLimits({ now });
  const directory = new Directory({ secrets, brand: settings.brand });
  const chats = new Chats({ events, now });
  const callbackTokens = new CallbackTokens({ secrets });
  const tenantTokens = new TenantTokens({ settings, secrets, directory });
  const userTokens = new TokenBook({ settings, secrets, directory });
  const codes = new DeviceCodes({ settings, secrets });
  const authorizationCodes = new AuthorizationCodes({ settings, secrets });
  const faults = new Faults({ onChange: () => gateway.applyFaults() });
  const delivery = new Delivery({
    settings,
    faults,
    events,
    timers,
    connections: (appId) => gateway.connections(appId),
  });
  const gateway: Gateway = new Gateway({
    settings,
    secrets,
    events,
    faults,
    timers,
    firstFrames: (appId) => delivery.takeFirstFrames(appId),
    onAck: (frame, connection) => delivery.receiveAck(frame, connection),
  });
  const post = new HttpPost({ settings, timers });
  const dispatch = new Dispatch({ settings, directory, delivery, post, faults, events });
  const pusher = new EventPusher({ settings, send: (push) => dispatch.event(push), events, timers });
  const people = new People({ settings, directory, tokens: userTokens, pusher });
  const clicks = new Clicks({ settings, directory, chats, tokens: callbackTokens, dispatch, events });
  const consentPage = new ConsentPage({ settings, directory, codes, tokens: userTokens, events });
  const authorizePage = new AuthorizePage({
    directory,
    codes: authorizationCodes,
    tokens: userTokens,
    secrets,
    events,
  });
  const listener = new Listener({
    onError: (error, path) => events.emit('simulator.error', { path, message: String(error) }),
    onUpgrade: (request, socket, head) => gateway.upgrade(request, socket, head),
  });
  let baseUrl = '';
  const address = (): string => baseUrl;
  const known = (appId: string): App => {
    const app = directory.app(appId);
    if (!app) throw new Error(`no app ${appId}`);
    return app;
  };

  const messageDeps = { settings, directory, chats, tokens: tenantTokens, limits, ledger };
  const oauthDeps = { settings, directory, codes, authorizationCodes, tokens: userTokens, secrets, events };
  const authorizeDeps = { directory, page: authorizePage, baseUrl: address };
  const apiDeps: ApiDeps = { settings, faults, limits, ledger, events, timers };
  const apiRoutes: ApiRoute[] = [
    endpointRoute({ settings, directory, gateway, baseUrl: address }),
    tenantTokenRoute({ settings, directory, tokens: tenantTokens }),
    sendMessageRoute(messageDeps),
    ...messageRoutes(messageDeps),
    cardUpdateRoute({ ...messageDeps, callbackTokens }),
    appInfoRoute({ tokens: tenantTokens }),
    deviceAuthorizationRoute({ directory, codes, secrets, events, baseUrl: address }),
    authorizePageRoute(authorizeDeps),
    tokenRoute(oauthDeps),
    userInfoRoute({ settings, directory, tokens: userTokens }),
    revokeRoute({ settings, directory, tokens: userTokens, people, events }),
  ];

  const simulator: Simulator = {
    get baseUrl() {
      return baseUrl;
    },
    addApp: (app = {}) => directory.addApp(app),
    changeApp: (appId, change) => directory.changeApp(appId, change),
    addUser: (user = {}) => directory.addUser(user),
    addGroup: ({ members, ...group }) =>
      chats.addGroup({
        ...group,
        members: members.map((member) => (typeof member === 'string' ? member : member.userId)),
      }),
    openId: (user, appId) => directory.openId(user, appId),
    click: (click) => clicks.click(click),
    consent: (consent) => consentPage.consent(consent),
    deny: (denial) => consentPage.deny(denial),
    authorize: (authorization) => authorizePage.authorize(authorization),
    envelope: (appId, type, event, overrides) => envelope(known(appId), directory.tenantKey, type, event, overrides),
    pushEvent: (appId, body, pushOptions) => pusher.push(appId, body, pushOptions),
    verifyCallbackUrl: (appId) => verifyUrl({ settings, post }, known(appId), 'callbackUrl'),
    verifyEventUrl: (appId) => verifyUrl({ settings, post }, known(appId), 'eventUrl'),
    revokeTenantTokens: (appId) => tenantTokens.revoke(appId),
    revokeUserTokens: (appId, who, kinds = ['user_access_token', 'refresh_token']) =>
      userTokens.revokeAll(appId, directory.person(appId, who), kinds),
    revokeGrant: (appId, revocation) => people.revoke(appId, revocation),
    leave: (appId, leaving) => people.leave(appId, leaving),
    forgetGrant: (appId, who) => userTokens.forgetGrant(appId, directory.person(appId, who)),
    recall: (messageId) => {
      const message = chats.messages.get(messageId);
      if (message) chats.recall(message);
    },
    connections: (appId) => gateway.connections(appId).map((connection) => connection.info),
    sockets: (appId) => gateway.connections(appId),
    endpointCalls: (appId) => ledger.of('endpoint', appId).map((call) => call.at),
    messages: () => [...chats.messages.values()],
    message: (messageId) => chats.messages.get(messageId),
    messagesTo: (openId) => {
      const user = [...directory.users.values()].find((one) => Object.values(one.openIds).includes(openId));
      return [...chats.messages.values()].filter((message) => user !== undefined && message.userId === user.userId);
    },
    chats,
    calls: ledger.calls,
    get overLimit() {
      return ledger.overLimit;
    },
    deviceCodes: () => codes.all(),
    authorizationCodes: () => authorizationCodes.all(),
    expireDeviceCode: (userCode) => codes.expire(userCode),
    get refreshLedger() {
      return userTokens.refreshTokens();
    },
    accessTokens: () => userTokens.accessTokens(),
    usedCallbackTokens: () => callbackTokens.used(),
    secrets: (kinds) => secrets.all(kinds).map((secret) => secret.value),
    secretsByKind: (kinds) => secrets.all(kinds),
    on: (type, listen) => events.on(type, listen),
    waitFor: (wanted, timeoutMs) => events.waitFor(wanted, timeoutMs),
    until: (check, timeoutMs, label) => events.until(check, timeoutMs, label),
    faults,
    close: async () => {
      timers.close();
      faults.clear();
      delivery.close();
      post.close();
      gateway.close();
      await listener.close();
      events.close();
    },
  };

  for (const route of apiRoutes) listener.addRoute(apiRoute(route, apiDeps));
  for (const route of settings.routes) listener.addRoute(route);
  for (const route of authorizeRoutes(authorizeDeps)) listener.addRoute(route);
  for (const route of controlRoutes({ simulator, directory, codes, events })) listener.addRoute(route);
  const port = await listener.listen(settings.port, settings.host);
  baseUrl = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`;
  return simulator;
}
