import fc from 'fast-check'
import { Client } from 'undici'
import { ElasticPathSimulator } from '../../lib/testing'
import { holds } from './support'

/*
 * The simulator against the facts: a model of a store, written from the facts alone, is asked the same as the simulator
 * over HTTP, in any order and in both dialects. The clock stands still but where a command moves it.
 */
const USERS = ['ada@example.com', 'grace'] as const
const NOBODY = 'nobody@example.com'
const TYPE = 'account_management_authentication_token'
const TOKENS = '/v2/account-members/tokens'
const [CODE_LIFE, ACCESS_LIFE, ACCOUNT_LIFE] = [600, 3600, 86_400]

interface Token {
  text: string
  user: string
  account: string
  ends: number
}
/** What is so at a store, by the facts. Times are in seconds. */
interface Model {
  now: number
  bearer: { text: string; ends: number } | undefined
  codes: Map<string, { text: string; ends: number; old: string[] }>
  accounts: Map<string, string[]>
  tokens: Token[]
}
interface Real {
  simulator: ElasticPathSimulator
  http: Client
  profileId: string
  omit: boolean
  epoch: boolean
  wrongCode: 400 | 401
}

async function ask(
  real: Real,
  model: Model,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  more: Record<string, string> = {},
) {
  const { statusCode, body: stream } = await real.http.request({
    method,
    path,
    headers: {
      authorization: `Bearer ${model.bearer?.text ?? 'none'}`,
      'content-type': 'application/json',
      ...more,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await stream.text()
  return { status: statusCode, json: (text === '' ? undefined : JSON.parse(text)) as Json }
}
interface Json {
  access_token?: string
  expires_in?: number
  data: Record<string, unknown>[]
  meta: { account_member_id?: string; results: { total: number } }
  errors: { status: unknown; title: unknown; detail?: unknown }[]
}
type Reply = Awaited<ReturnType<typeof ask>>

function expectRefusal({ status, json }: Reply, expected: number): void {
  expect(status).toBe(expected)
  // Fact 25.
  for (const error of json.errors)
    expect([Number(error.status), typeof error.title]).toEqual([expected, 'string'])
  expect(json.errors.length).toBeGreaterThan(0)
}

/** Fact 5: whether the bearer is taken; if not, the reply has to say so. */
function bearerIsGood(model: Model, reply: Reply): boolean {
  if (model.bearer && model.bearer.ends > model.now) return true
  expectRefusal(reply, 401)
  expect(reply.json.errors[0]?.title).toBe('Unable to validate access token')
  return false
}

interface Page {
  limit: number | undefined
  offset: number | undefined
}
const page: fc.Arbitrary<Page> = fc.record({
  limit: fc.constantFrom(undefined, undefined, 1, 2, 25, 100, 101, 5000),
  offset: fc.constantFrom(undefined, undefined, 0, 1, 3, 40),
})
function queryOf({ limit, offset }: Page): string {
  const parts = [
    limit === undefined ? '' : `page[limit]=${limit}`,
    offset === undefined ? '' : `page[offset]=${offset}`,
  ]
  return `?${parts.filter(Boolean).join('&')}`
}

/** Facts 7, 10, 11 and 12: a page of a member's accounts, each with a token of a full lifetime. */
function expectTokens(
  real: Real,
  model: Model,
  reply: Reply,
  user: string,
  { limit = 25, offset = 0 }: Page,
): void {
  if (limit > 100) {
    expectRefusal(reply, 400)
    return
  }
  const all = model.accounts.get(user) ?? []
  const ids = all.slice(offset, offset + limit)
  expect(reply.status).toBe(201)
  const { data, meta } = reply.json
  expect(data.map((one) => one['account_id'])).toEqual(ids)
  expect(meta.results.total).toBe(all.length)
  expect(typeof meta.account_member_id).toBe(real.omit ? 'undefined' : 'string')
  const ends = model.now + ACCOUNT_LIFE
  for (const one of data) {
    expect(one).toMatchObject({ type: TYPE, account_name: expect.any(String) as string })
    expect(real.epoch ? one['expires'] : Date.parse(String(one['expires'])) / 1000).toBe(ends)
    model.tokens.push({ text: String(one['token']), user, account: String(one['account_id']), ends })
  }
  model.tokens.splice(0, model.tokens.length - 40)
}

interface Command extends fc.AsyncCommand<Model, Real> {
  toString(): string
}
function command(name: string, run: (model: Model, real: Real) => Promise<void> | void): Command {
  return { check: () => true, run: async (model, real) => run(model, real), toString: () => name }
}

const user = fc.constantFrom(...USERS)
const commands: fc.Arbitrary<Command>[] = [
  fc
    .record({
      right: fc.boolean(),
      grant: fc.constantFrom('implicit', 'implicit', 'client_credentials', 'password'),
    })
    .map(({ right, grant }) =>
      command(`access token by ${grant}, ${right ? 'right' : 'wrong'}`, async (model, real) => {
        const { clientId, clientSecret } = real.simulator
        const form = new URLSearchParams({
          grant_type: grant,
          client_id: clientId,
          client_secret: clientSecret,
        })
        if (!right) form.set(grant === 'implicit' ? 'client_id' : 'client_secret', 'wrong')
        const { statusCode, body } = await real.http.request({
          method: 'POST',
          path: '/oauth/access_token',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: form.toString(),
        })
        const given = (await body.json()) as Json & { data?: Json }
        const json = 'data' in given ? (given.data as unknown as Json) : given
        if (grant === 'password') expect(statusCode).toBe(400)
        else if (!right) expect(statusCode).toBe(401)
        else {
          // Facts 2 and 3.
          expect([statusCode, json.expires_in]).toEqual([200, ACCESS_LIFE])
          model.bearer = { text: json.access_token ?? '', ends: model.now + ACCESS_LIFE }
        }
      }),
    ),
  fc
    .record({
      user: fc.oneof(user, fc.constant(NOBODY)),
      profile: fc.constantFrom('right', 'right', 'wrong'),
    })
    .map(({ user, profile }) =>
      command(`ask for a code for ${user}, ${profile} profile`, async (model, real) => {
        const before = real.simulator.mailbox.length
        const profileId = profile === 'right' ? real.profileId : '00000000-0000-4000-8000-000000000000'
        const path = `/v2/authentication-realms/${real.simulator.realmId}/password-profiles/${profileId}/one-time-password-token-request`
        const data = {
          type: 'one_time_password_token_request',
          username: user,
          purpose: 'passwordless_authentication',
        }
        const reply = await ask(real, model, 'POST', path, { data })
        if (!bearerIsGood(model, reply)) return
        const sent = real.simulator.mailbox.slice(before)
        if (profile === 'wrong') {
          expectRefusal(reply, 404)
          expect(sent).toEqual([])
          return
        }
        // Facts 18 to 21: never with the code, which goes by the event.
        expect([202, 201]).toContain(reply.status)
        expect(sent.map(({ username }) => username)).toEqual(user === NOBODY ? [] : [user])
        const [event] = sent
        if (!event) return
        expect(event.otp).toMatch(/^[a-z0-9]{6}$/)
        expect(JSON.stringify([reply.json])).not.toContain(event.otp)
        expect(Date.parse(event.expires) / 1000).toBe(model.now + CODE_LIFE)
        keepCode(model, user, event.otp)
      }),
    ),
  user.map((user) =>
    command(`issue a code for ${user}`, (model, real) =>
      keepCode(model, user, real.simulator.issueCode(user)),
    ),
  ),
  fc
    .record({
      user,
      code: fc.constantFrom('right', 'right', 'right', 'old', 'other', 'wrong'),
      profile: fc.constantFrom('right', 'right', 'right', 'wrong', 'no uuid'),
      page,
    })
    .map(({ user, code, profile, page }) =>
      command(
        `exchange the ${code} code of ${user}, ${profile} profile, ${queryOf(page)}`,
        async (model, real) => {
          const own = model.codes.get(user)
          const other = model.codes.get(user === USERS[0] ? USERS[1] : USERS[0])
          const otp =
            { right: own?.text, old: own?.old.at(-1), other: other?.text, wrong: '------' }[code] ?? 'xxxxxx'
          const profileId = {
            right: real.profileId,
            wrong: '00000000-0000-4000-8000-000000000000',
            'no uuid': 'x',
          }[profile]
          const data = {
            type: TYPE,
            authentication_mechanism: 'passwordless',
            password_profile_id: profileId,
            username: user,
            one_time_password_token: otp,
          }
          const reply = await ask(real, model, 'POST', TOKENS + queryOf(page), { data })
          if (!bearerIsGood(model, reply)) return
          if ((page.limit ?? 25) > 100) expectRefusal(reply, 400)
          else if (profile === 'no uuid') {
            // Fact 9.
            expectRefusal(reply, 422)
            expect(reply.json.errors[0]?.detail).toMatch(
              /field 'PasswordProfileID' on the 'must_be_uuid' tag/,
            )
          } else if (profile === 'wrong' || otp !== own?.text || own.ends <= model.now) {
            // Fact 8.
            expectRefusal(reply, real.wrongCode)
          } else {
            expectTokens(real, model, reply, user, page)
            // Fact 15, the safe way: a code works once.
            own.old.push(own.text)
            own.ends = -Infinity
            expectRefusal(await ask(real, model, 'POST', TOKENS + queryOf(page), { data }), real.wrongCode)
          }
        },
      ),
    ),
  fc
    .record({
      which: fc.nat(),
      page,
      where: fc.constantFrom('header', 'header', 'header', 'body', 'nowhere'),
    })
    .map(({ which, page, where }) =>
      command(`renew with token ${which} in the ${where}, ${queryOf(page)}`, async (model, real) => {
        const held = model.tokens[which % Math.max(1, model.tokens.length)]
        const text = held?.text ?? 'eyJ.no.token'
        const inBody = where === 'body' ? { authentication_token: text } : {}
        const headers: Record<string, string> =
          where === 'header' ? { 'EP-Account-Management-Authentication-Token': text } : {}
        const data = { type: TYPE, authentication_mechanism: TYPE, ...inBody }
        const reply = await ask(real, model, 'POST', TOKENS + queryOf(page), { data }, headers)
        if (!bearerIsGood(model, reply)) return
        const belongs = held !== undefined && model.accounts.get(held.user)?.includes(held.account) === true
        // Fact 13.
        if ((page.limit ?? 25) > 100 || where === 'body') expectRefusal(reply, 400)
        else if (where === 'nowhere' || !belongs || held.ends <= model.now) expectRefusal(reply, 401)
        else expectTokens(real, model, reply, held.user, page)
      }),
    ),
  fc.constantFrom('/v2/settings/account-authentication', 'profiles').map((what) =>
    command(`read ${what}`, async (model, real) => {
      const { realmId } = real.simulator
      const reply = await ask(
        real,
        model,
        'GET',
        what === 'profiles' ? `/v2/authentication-realms/${realmId}/password-profiles` : what,
      )
      if (!bearerIsGood(model, reply)) return
      expect(reply.status).toBe(200)
      // Facts 16 and 17.
      if (what === 'profiles')
        expect(reply.json.data).toMatchObject([{ id: real.profileId, enable_one_time_password_token: true }])
      else
        expect(reply.json.data).toMatchObject({
          relationships: { authentication_realm: { data: { id: realmId } } },
        })
    }),
  ),
  fc.constantFrom(1, 1, 60, 60, 599, 600, 3599, 3600, 43_200, 86_399, 86_400).map((seconds) =>
    command(`${seconds} s pass`, (model, real) => {
      real.simulator.advance(seconds)
      model.now += seconds
    }),
  ),
  fc.constant(
    command('revoke the access tokens', (model, real) => {
      real.simulator.revokeAccessTokens()
      if (model.bearer) model.bearer.ends = -Infinity
    }),
  ),
  fc.constant(
    command('revoke the account tokens', (model, real) => {
      real.simulator.revokeAccountTokens()
      for (const token of model.tokens) token.ends = -Infinity
    }),
  ),
  fc.tuple(user, fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'))).map(([user, ids]) =>
    command(`${user} belongs to [${ids.join()}]`, (model, real) => {
      const accounts = ids.map((id) => `${user} ${id}`)
      real.simulator.setAccounts(
        user,
        accounts.map((id) => ({ id, name: 'The same name' })),
      )
      model.accounts.set(user, accounts)
    }),
  ),
]

function keepCode(model: Model, user: string, text: string): void {
  const before = model.codes.get(user)
  const old = [...(before?.old ?? []), ...(before?.text ? [before.text] : [])]
  model.codes.set(user, { text, ends: model.now + CODE_LIFE, old })
}

// Bearers, codes, exchanges and renewals, the first five, more often than what makes them useless.
const often = commands.slice(0, 5)
const history = fc.commands([...commands, ...often, ...often, ...often], { maxCommands: 30, size: 'max' })
const dialect = fc.record({
  wrongCodeStatus: fc.constantFrom(400 as const, 401 as const),
  otpRequestStatus: fc.constantFrom(202 as const, 201 as const),
  wrapAccessToken: fc.boolean(),
  expiresFormat: fc.constantFrom('iso' as const, 'epoch' as const),
  omitAccountMemberId: fc.boolean(),
  errorStatusType: fc.constantFrom('string' as const, 'number' as const, 'live' as const),
})

test('the simulator answers as the facts say, whatever was done before', async () => {
  // A second's beginning, at which it stays: the facts' times are whole seconds.
  const clock = jest.spyOn(Date, 'now').mockReturnValue(2_000_000_000_000)
  try {
    await holds(fc.tuple(history, dialect), 800, async ([steps, spoken]) => {
      const accounts = new Map(USERS.map((name) => [name as string, [`${name} a`, `${name} b`, `${name} c`]]))
      const members = USERS.map((username) => ({
        username,
        accounts: (accounts.get(username) ?? []).map((id) => ({ id, name: 'The same name' })),
      }))
      const simulator = await ElasticPathSimulator.start({ members, ...spoken })
      const http = new Client(simulator.url)
      const real: Real = {
        simulator,
        http,
        profileId: simulator.passwordProfileId,
        omit: spoken.omitAccountMemberId,
        epoch: spoken.expiresFormat === 'epoch',
        wrongCode: spoken.wrongCodeStatus,
      }
      const model: Model = { now: 2_000_000_000, bearer: undefined, codes: new Map(), accounts, tokens: [] }
      try {
        // Nothing but a bearer gets anywhere (fact 1), so that each history begins with one that can be lost.
        const { clientId } = simulator
        const { body } = await http.request({
          method: 'POST',
          path: '/oauth/access_token',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: `grant_type=implicit&client_id=${clientId}`,
        })
        const given = (await body.json()) as { access_token?: string; data?: { access_token: string } }
        model.bearer = {
          text: given.access_token ?? given.data?.access_token ?? '',
          ends: model.now + ACCESS_LIFE,
        }
        await fc.asyncModelRun(() => ({ model, real }), steps)
      } finally {
        await http.close()
        await simulator.stop()
      }
    })
  } finally {
    clock.mockRestore()
  }
})
