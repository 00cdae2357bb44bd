// The same sign-in, implemented in different ways. Each peer receives the store's address and returns two functions:
// `ready` prepares the first sign-in, and `signIn` handles a request. The status is 200 for a right code and 401 for a
// wrong one. No peer has a session, so that the figures compare only the sign-in.
import { Passport } from 'passport'
import { Strategy as CustomStrategy } from 'passport-custom'
import { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { Pool } from 'undici'

const passportOfApp = new Passport()

const PATH = '/v2/account-members/tokens'

function tokenRequest({ username, otp }, password_profile_id) {
  return {
    type: 'account_management_authentication_token',
    authentication_mechanism: 'passwordless',
    password_profile_id,
    username,
    one_time_password_token: otp,
  }
}

const grant = ({ clientId }) =>
  new URLSearchParams({ grant_type: 'implicit', client_id: clientId }).toString()

/** Fetches the access token once. It is never renewed, so these peers do less than a real app has to. */
function bearer(ask) {
  let authorization
  return async () => (authorization ??= `Bearer ${(await ask()).access_token}`)
}

function bearerByFetch(store) {
  return bearer(async () => {
    const response = await fetch(`${store.url}/oauth/access_token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: grant(store),
    })
    return response.json()
  })
}

/** One undici request: the least that a sign-in can cost. Resolves to the list of tokens, or to undefined. */
function exchangeByUndici(store) {
  const pool = new Pool(store.url)
  const authorization = bearer(async () => {
    const { body } = await pool.request({
      method: 'POST',
      path: '/oauth/access_token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: grant(store),
    })
    return body.json()
  })
  return {
    ready: authorization,
    async exchange(credentials) {
      const { body } = await pool.request({
        method: 'POST',
        path: PATH,
        headers: {
          authorization: await authorization(),
          accept: 'application/json',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ data: tokenRequest(credentials, store.passwordProfileId) }),
      })
      return (await body.json()).data
    },
  }
}

/** Passport around an exchange that resolves to the list of tokens, or to undefined for a wrong code. */
function custom({ ready, exchange }) {
  const strategy = new CustomStrategy((req, done) => {
    exchange(req.body).then((tokens) => {
      const [account] = tokens ?? []
      done(null, account ? { username: req.body.username, account } : false)
    }, done)
  })
  passportOfApp.use('custom', strategy)
  return { ready, signIn: passportOfApp.authenticate('custom', { session: false }) }
}

function ours(store, options = {}) {
  const { url: baseUrl, clientId, passwordProfileId } = store
  const strategy = new PasswordlessOtpStrategy({ clientId, baseUrl, passwordProfileId, ...options })
  passportOfApp.use(strategy)
  return {
    ready: () => strategy.ready(),
    signIn: passportOfApp.authenticate(strategy.name, { session: false }),
  }
}

function floor(store) {
  const { ready, exchange } = exchangeByUndici(store)
  return {
    ready,
    async signIn(req, res) {
      const [account] = (await exchange(req.body)) ?? []
      res.sendStatus(account ? 200 : 401)
    },
  }
}

function passport(store) {
  return custom(exchangeByUndici(store))
}

export const peers = {
  floor,
  /** The same request behind Passport: the cost of a sign-in that is written by hand. */
  passport,
  /** The same program in a second process. The difference is the measurement error. */
  'passport, again': passport,
  strategy: (store) => ours(store),
  'strategy, no limits': (store) => ours(store, { limiter: false, requestLimiter: false }),
  'strategy, chosen by a function': (store) =>
    ours(store, { selectAccount: (accounts) => accounts.at(-1).id }),

  fetch(store) {
    const authorization = bearerByFetch(store)
    return custom({
      ready: authorization,
      async exchange(credentials) {
        const response = await fetch(store.url + PATH, {
          method: 'POST',
          headers: { authorization: await authorization(), 'content-type': 'application/json' },
          body: JSON.stringify({ data: tokenRequest(credentials, store.passwordProfileId) }),
        })
        return (await response.json()).data
      },
    })
  },

  async 'js-sdk'(store) {
    const { gateway, MemoryStorageFactory } = await import('@elasticpath/js-sdk')
    const { host, protocol } = new URL(store.url)
    const client = gateway({
      client_id: store.clientId,
      host,
      protocol: protocol.slice(0, -1),
      storage: new MemoryStorageFactory(),
    })
    return custom({
      ready: () => client.Authenticate(),
      async exchange(credentials) {
        const request = tokenRequest(credentials, store.passwordProfileId)
        try {
          return (await client.AccountMembers.GenerateAccountToken(request)).data
        } catch (error) {
          if (Array.isArray(error?.errors)) return undefined
          throw error
        }
      },
    })
  },

  async 'sdks-shopper'(store) {
    const { client, postV2AccountMembersTokens } = await import('@epcc-sdk/sdks-shopper')
    const authorization = bearerByFetch(store)
    client.setConfig({ baseUrl: store.url })
    client.interceptors.request.use(async (request) => {
      request.headers.set('Authorization', await authorization())
      return request
    })
    return custom({
      ready: authorization,
      async exchange(credentials) {
        const { data } = await postV2AccountMembersTokens({
          client,
          body: { data: tokenRequest(credentials, store.passwordProfileId) },
        })
        return data?.data
      },
    })
  },
}

/** The implementations that every part compares. */
export const compared = ['floor', 'passport', 'strategy', 'fetch', 'js-sdk', 'sdks-shopper']
