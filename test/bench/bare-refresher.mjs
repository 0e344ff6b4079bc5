/**
 * The baseline of a refresh: what somebody writes who has only `fetch`. Redeems the refresh token it has, keeps the next
 * one in memory, one after the other, as often as it is told. Plain JavaScript, so that nothing but Node is measured.
 * Options: {url, appId, appSecret, refreshToken}. Order: how often.
 */
const { url, appId, appSecret, refreshToken } = JSON.parse(process.argv[2]);
let token = refreshToken;

async function refresh() {
  const form = { grant_type: 'refresh_token', refresh_token: token, client_id: appId, client_secret: appSecret };
  const response = await fetch(`${url}/open-apis/authen/v2/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const answer = await response.json();
  if (answer.code !== 0) throw new Error(`Feishu answered ${answer.code}`);
  token = answer.refresh_token;
}

process.on('message', async ({ order: count }) => {
  for (let i = 0; i < count; i += 1) await refresh();
  process.send('done');
});
process.on('disconnect', () => process.exit());
