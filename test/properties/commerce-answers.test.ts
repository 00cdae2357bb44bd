import fc from 'fast-check'
import type { PasswordlessOtpUser } from '../../lib'
import { at, parseJson } from '../../lib/json'
import { ADA, createStrategy, openShop } from '../support/shop'
import { expectSafe, holds, mangled, mangledBytes, nasty, signIn, type End } from './support'

const TOKENS = '/v2/account-members/tokens'
const PROFILES = '/v2/authentication-realms/:realm/password-profiles'
/** The calls to Elastic Path of a sign-in or a code request. */
const CALLS = {
  'access token': ['POST', '/oauth/access_token'],
  settings: ['GET', '/v2/settings/account-authentication'],
  profiles: ['GET', PROFILES],
  'code request': ['POST', `${PROFILES}/:profile/one-time-password-token-request`],
  exchange: ['POST', TOKENS],
  renewal: ['POST', TOKENS],
} as const
type Call = keyof typeof CALLS

/** A store, and its regular response to each call. */
async function openStore() {
  const { simulator, strategy } = await openShop({
    store: { members: [{ username: ADA, accounts: 3 }] },
    options: { limiter: false, requestLimiter: false },
  })
  const [end] = await signIn(strategy, { username: ADA, otp: simulator.issueCode(ADA) })
  const user = (end as Extract<End, { how: 'success' }>).user as PasswordlessOtpUser
  const profileId = simulator.profiles[0]?.id ?? ''
  const text = async (response: Promise<Response>) => (await response).text()
  const post = (data: object) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ data: { type: 'account_management_authentication_token', ...data } }),
  })
  const tokens = await text(
    strategy.fetch(
      TOKENS,
      post({
        authentication_mechanism: 'passwordless',
        password_profile_id: profileId,
        username: ADA,
        one_time_password_token: simulator.issueCode(ADA),
      }),
    ),
  )
  const accessToken = { access_token: await strategy.accessToken(), token_type: 'Bearer', expires_in: 3600 }
  const right: Record<Call, string> = {
    'access token': JSON.stringify(accessToken),
    settings: await text(strategy.fetch(CALLS.settings[1])),
    profiles: await text(strategy.fetch(PROFILES.replace(':realm', simulator.realmId))),
    'code request': '{"data":{"type":"one_time_password_token_request"}}',
    exchange: tokens,
    renewal: tokens,
  }
  for (const body of Object.values(right)) expect(parseJson(body)).not.toHaveProperty('errors')
  return { simulator, user, right }
}

const words = fc.constantFrom(
  ...['Bad Request', 'Unable to validate access token', 'authentication failed', ADA, `two\nlines of ${ADA}`],
  "Validation failed: field 'Username' on the 'required' tag",
  "field 'OneTimePasswordToken' on the 'required' tag; field 'PasswordProfileID' on the 'must_be_uuid' tag",
  'the authorization realm for the token could not be found',
)
const refusal = fc.record({
  errors: fc.array(fc.record({ status: words, title: words, detail: words }, { requiredKeys: [] }), {
    maxLength: 3,
  }),
})
const asText = (value: unknown): string => JSON.stringify(value)

function bodies(right: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: mangled(JSON.parse(right)).map(asText) },
    { weight: 3, arbitrary: mangledBytes(right).map(String) },
    { weight: 2, arbitrary: refusal.map(asText) },
    { weight: 1, arbitrary: refusal.chain(mangled).map(asText) },
    nasty.map(asText),
    fc.constantFrom(right, '', '{', '[]', '<!doctype html><h1>Bad Gateway</h1>', `${right} x`),
  )
}

// The waits of 408 and 429 are in tables of other tests.
const status = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(200, 201, 202) },
  { weight: 4, arbitrary: fc.constantFrom(400, 401, 403, 404, 409, 422) },
  fc.integer({ min: 200, max: 599 }).filter((one) => one !== 408 && one !== 429),
)

test('any response of Elastic Path gives a success that it contains, a refusal that it states, or a safe error', async () => {
  const { simulator, user, right } = await openStore()
  const calls = Object.keys(CALLS) as Call[]
  const answers = fc.oneof(
    ...calls.map((call) => fc.record({ call: fc.constant(call), status, body: bodies(right[call]) })),
  )
  const otp = simulator.issueCode(ADA)
  simulator.configure({ reusableCodes: true })
  const secrets = [ADA, otp, simulator.clientSecret, user.account?.token ?? '']

  await holds(answers, 4000, async ({ call, status, body }) => {
    const options = { clientSecret: simulator.clientSecret, limiter: false, requestLimiter: false } as const
    const strategy = createStrategy(simulator, { options })
    const [method, path] = CALLS[call]
    const route = simulator.route(method, path, () => ({ status, body }), { open: true })
    const before = simulator.count('any')
    const end = await act(call, strategy, user, otp).finally(() => route.remove())
    await strategy.close()
    // Look-ups, an access token, and each of them once more at most.
    expect(simulator.count('any') - before).toBeLessThan(12)

    const isSuccess = status >= 200 && status < 300
    if (end.how === 'error') {
      expectSafe(end.error, secrets)
      // An outage is never the shopper's fault, and never the setup's.
      if (status >= 500) expect([502]).toContain(end.error.status)
      return
    }
    if (end.how === 'fail') {
      const mayFail = isSuccess ? ['no_account', 'account_not_found'] : ['invalid_credentials']
      expect([call, status < 500, mayFail.includes(end.code)]).toEqual(['exchange', true, true])
      return
    }
    if (call === 'exchange' || call === 'renewal') {
      expect(isSuccess).toBe(true)
      const { account } = end.user as PasswordlessOtpUser
      const entries = at(parseJson(body), 'data') as unknown[]
      const entry = entries.find(
        (one) => at(one, 'account_id') === account?.id && at(one, 'token') === account?.token,
      )
      expect(entry).toMatchObject({
        account_name: account?.name,
        token: expect.stringMatching(/^[!-~]+$/) as string,
      })
    }
  })
})

/** The operation that makes a call, and its outcome. */
async function act(
  call: Call,
  strategy: ReturnType<typeof createStrategy>,
  user: PasswordlessOtpUser,
  otp: string,
): Promise<End> {
  if (call !== 'code request' && call !== 'renewal') {
    const ends = await signIn(strategy, { username: ADA, otp })
    const [end] = ends
    if (!end || ends.length > 1) throw new Error(`${ends.length} outcomes`)
    return end
  }
  try {
    if (call === 'renewal') return { how: 'success', user: await strategy.renewAccount(user) }
    await strategy.createOtpRequest(ADA)
    return { how: 'success', user: undefined }
  } catch (error) {
    return { how: 'error', error }
  }
}
