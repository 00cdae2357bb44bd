import { gateway, MemoryStorageFactory } from '@elasticpath/js-sdk'
import {
  createShopperClient,
  getV2Accounts,
  getV2AccountsAccountId,
  postV2AccountMembersTokens,
} from '@epcc-sdk/sdks-shopper'
import type { ElasticPathSimulator } from '../../lib/testing'
import { ACCOUNT_TOKEN_HEADER, ADA, openStore, TOKEN_TYPE } from '../testing/support'

// Runs Elastic Path's own clients from npm against the simulator, over real sockets. A shop can use the same clients.
// The numbers of facts refer to docs/elastic-path-facts.md.

const two = { members: [{ username: ADA, accounts: [{ name: 'First' }, { name: 'Second' }] }] }

describe('@elasticpath/js-sdk', () => {
  function clientOf(simulator: ElasticPathSimulator, headers: Record<string, string> = {}, secret?: string) {
    const config = {
      client_id: simulator.clientId,
      ...(secret !== undefined && { client_secret: secret }),
      host: new URL(simulator.url).host,
      // The client supports this option, but its types lack it.
      protocol: 'http',
      storage: new MemoryStorageFactory(),
      headers,
    }
    return gateway(config)
  }

  // The client prints to the console that it has no access token yet.
  beforeEach(() => jest.spyOn(console, 'info').mockImplementation())
  afterEach(() => jest.restoreAllMocks())

  test('finds the realm and the profile, asks for a code, signs in, lists and renews', async () => {
    const { simulator } = await openStore(two)
    const client = clientOf(simulator)

    const settings = await client.AccountAuthenticationSettings.Get()
    const realmId = settings.data.relationships.authentication_realm.data.id
    const profiles = await client.PasswordProfile.All(realmId)
    const profileId = profiles.data[0]?.id ?? ''
    expect([realmId, profileId]).toEqual([simulator.realmId, simulator.passwordProfileId])

    const code = simulator.nextCode(ADA)
    await client.OneTimePasswordTokenRequest.Create(realmId, profileId, {
      type: 'one_time_password_token_request',
      username: ADA,
      purpose: 'passwordless_authentication',
    })
    const { otp } = await code
    const signedIn = await client.AccountMembers.GenerateAccountToken({
      type: TOKEN_TYPE,
      authentication_mechanism: 'passwordless',
      password_profile_id: profileId,
      username: ADA,
      one_time_password_token: otp,
    })
    expect(signedIn.data.map(({ account_name }) => account_name)).toEqual(['First', 'Second'])
    expect(signedIn.meta.results.total).toBe(2)

    const held = clientOf(simulator, { [ACCOUNT_TOKEN_HEADER]: signedIn.data[0]?.token ?? '' })
    const accounts = await held.Accounts.Limit(1).Offset(1).All()
    expect(accounts.data.map(({ name }) => name)).toEqual(['Second'])
    const renewed = await held.AccountMembers.GenerateAccountToken({
      type: TOKEN_TYPE,
      authentication_mechanism: TOKEN_TYPE,
      // The client's types require it, but a renewal ignores it.
      password_profile_id: profileId,
    })
    expect(renewed.data.map(({ account_id }) => account_id)).toEqual(
      signedIn.data.map(({ account_id }) => account_id),
    )
    expect(simulator.count('renewal')).toBe(1)
  })

  test('sends one exchange for a wrong code and rejects with the error (fact 8)', async () => {
    const { simulator } = await openStore()
    const attempt = clientOf(simulator).AccountMembers.GenerateAccountToken({
      type: TOKEN_TYPE,
      authentication_mechanism: 'passwordless',
      password_profile_id: simulator.passwordProfileId,
      username: ADA,
      one_time_password_token: 'wrong1',
    })
    await expect(attempt).rejects.toMatchObject({ errors: [{ detail: 'authentication failed' }] })
    expect(simulator.count('exchange')).toBe(1)
  })

  test('authenticates with a client secret', async () => {
    const { simulator } = await openStore()
    const { identifier } = await clientOf(simulator, {}, simulator.clientSecret).Authenticate()
    expect(identifier).toBe('client_credentials')
  })
})

describe('@epcc-sdk/sdks-shopper', () => {
  function clientOf(simulator: ElasticPathSimulator) {
    let stored: string | undefined
    const storage = { get: () => stored, set: (value?: string) => void (stored = value) }
    return createShopperClient({ baseUrl: simulator.url }, { clientId: simulator.clientId, storage }).client
  }

  test('signs in with a code, lists and renews', async () => {
    const { simulator } = await openStore(two)
    const client = clientOf(simulator)
    const signedIn = await postV2AccountMembersTokens({
      client,
      body: {
        data: {
          type: TOKEN_TYPE,
          authentication_mechanism: 'passwordless',
          password_profile_id: simulator.passwordProfileId,
          username: ADA,
          one_time_password_token: simulator.issueCode(ADA),
        },
      },
    })
    expect(signedIn.error).toBeUndefined()
    const tokens = signedIn.data?.data ?? []
    expect(tokens.map(({ account_name }) => account_name)).toEqual(['First', 'Second'])

    const headers = { [ACCOUNT_TOKEN_HEADER]: tokens[1]?.token ?? '' }
    const accounts = await getV2Accounts({
      client,
      headers,
      query: { 'page[limit]': 1n, 'page[offset]': 1n },
    })
    expect(accounts.data?.data?.map(({ name }) => name)).toEqual(['Second'])
    const account = await getV2AccountsAccountId({
      client,
      headers,
      path: { accountID: tokens[1]?.account_id ?? '' },
    })
    expect(account.data?.data?.name).toBe('Second')

    const renewed = await postV2AccountMembersTokens({
      client,
      headers,
      body: { data: { type: TOKEN_TYPE, authentication_mechanism: TOKEN_TYPE } },
    })
    expect(renewed.data?.data?.map(({ account_id }) => account_id)).toEqual(
      tokens.map(({ account_id }) => account_id),
    )
    expect(simulator.count('access_token')).toBe(1)
  })

  test('returns an error of the documented type for a wrong code', async () => {
    const { simulator } = await openStore()
    const { error } = await postV2AccountMembersTokens({
      client: clientOf(simulator),
      body: {
        data: {
          type: TOKEN_TYPE,
          authentication_mechanism: 'passwordless',
          password_profile_id: simulator.passwordProfileId,
          username: ADA,
          one_time_password_token: 'wrong1',
        },
      },
    })
    expect(error).toEqual({
      errors: [{ title: 'Bad Request', status: '400', detail: 'authentication failed' }],
    })
  })

  test('fetches a new access token if the current one is refused (fact 5)', async () => {
    const { simulator } = await openStore()
    const client = clientOf(simulator)
    simulator.fault('exchange', 'refused_bearer')
    await postV2AccountMembersTokens({
      client,
      body: {
        data: {
          type: TOKEN_TYPE,
          authentication_mechanism: 'passwordless',
          password_profile_id: simulator.passwordProfileId,
          username: ADA,
          one_time_password_token: simulator.issueCode(ADA),
        },
      },
    })
    expect(simulator.requests.map(({ call, status }) => [call, status]).slice(0, 3)).toEqual([
      ['access_token', 200],
      ['exchange', 401],
      ['access_token', 200],
    ])
  })
})
