// The same sign-in, written the ways people write it. Each peer takes where the store is, and answers with a handler
// that ends in 200 for a right code and in 401 for a wrong one.
import passport from 'passport'
import { Strategy as CustomStrategy } from 'passport-custom'
import { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { Pool } from 'undici'

const TYPE = 'account_management_authentication_token'
const PATH = '/v2/account-members/tokens'

function tokenRequest({ username, otp }, password_profile_id) {
  return {
    type: TYPE,
    authentication_mechanism: 'passwordless',
    password_profile_id,
    username,
    one_time_password_token: otp,
  }
}

async function accessToken({ url, clientId }) {
  const response = await fetch(`${url}/oauth/access_token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'implicit', client_id: clientId }),
  })
  return (await response.json()).access_token
}

/** A strategy of passport-custom around an exchange that answers with the list of tokens, or with nothing. */
function custom(exchange) {
  const strategy = new CustomStrategy((req, done) => {
    exchange(req.body).then((tokens) => {
      const [account] = tokens ?? []
      done(null, account ? { username: req.body.username, account } : false)
    }, done)
  })
  passport.use('custom', strategy)
  return passport.authenticate('custom', { session: false })
}

export const peers = {
  async floor(store) {
    const pool = new Pool(store.url)
    const authorization = `Bearer ${await accessToken(store)}`
    return async (req, res) => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: PATH,
        headers: { authorization, accept: 'application/json', 'content-type': 'application/json' },
        body: JSON.stringify({ data: tokenRequest(req.body, store.passwordProfileId) }),
      })
      const { data } = await body.json()
      res.sendStatus(statusCode === 201 && data.length > 0 ? 200 : 401)
    }
  },

  /** The floor's request behind Passport: what Passport itself costs. */
  async passport(store) {
    const pool = new Pool(store.url)
    const authorization = `Bearer ${await accessToken(store)}`
    return custom(async (credentials) => {
      const { body } = await pool.request({
        method: 'POST',
        path: PATH,
        headers: { authorization, accept: 'application/json', 'content-type': 'application/json' },
        body: JSON.stringify({ data: tokenRequest(credentials, store.passwordProfileId) }),
      })
      return (await body.json()).data
    })
  },

  async strategy(store) {
    const { url: baseUrl, clientId, passwordProfileId } = store
    const strategy = new PasswordlessOtpStrategy({ clientId, baseUrl, passwordProfileId })
    await strategy.ready()
    passport.use(strategy)
    return passport.authenticate(strategy.name, { session: false })
  },

  async fetch(store) {
    const authorization = `Bearer ${await accessToken(store)}`
    return custom(async (credentials) => {
      const response = await fetch(store.url + PATH, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ data: tokenRequest(credentials, store.passwordProfileId) }),
      })
      const { data } = await response.json()
      return data
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
    return custom(async (credentials) => {
      try {
        return (
          await client.AccountMembers.GenerateAccountToken(tokenRequest(credentials, store.passwordProfileId))
        ).data
      } catch (error) {
        if (Array.isArray(error?.errors)) return undefined
        throw error
      }
    })
  },

  async 'sdks-shopper'(store) {
    const { client, postV2AccountMembersTokens } = await import('@epcc-sdk/sdks-shopper')
    const authorization = `Bearer ${await accessToken(store)}`
    client.setConfig({ baseUrl: store.url })
    client.interceptors.request.use((request) => {
      request.headers.set('Authorization', authorization)
      return request
    })
    return custom(async (credentials) => {
      const { data } = await postV2AccountMembersTokens({
        client,
        body: { data: tokenRequest(credentials, store.passwordProfileId) },
      })
      return data?.data
    })
  },
}
