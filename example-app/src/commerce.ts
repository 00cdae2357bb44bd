import { LRUCache } from 'lru-cache'
import {
  ACCOUNT_TOKEN_HEADER,
  PasswordlessOtpStrategy,
  type AccountSummary,
  type AccountToken,
  type PasswordlessOtpUser,
} from 'passport-elasticpath-otp'
import type { StoreConfig } from './config'
import type { Storage } from './storage'

export function createStrategy(
  store: Omit<StoreConfig, 'webhookSecret'>,
  storage: Storage,
): PasswordlessOtpStrategy {
  return new PasswordlessOtpStrategy({
    clientId: store.clientId,
    clientSecret: store.clientSecret,
    baseUrl: store.baseUrl,
    passwordProfileId: store.passwordProfileId,
    authenticationRealmId: store.authenticationRealmId,
    // Who belongs to several companies chooses after the sign-in.
    selectAccount: 'sole',
    limiter: storage.guesses,
    requestLimiter: storage.codeRequests,
    messages: {
      missing_credentials: 'Please type the code from the e-mail.',
      invalid_credentials:
        'That code did not work. It may be mistyped, used before, or too old. Compare it with the newest e-mail, or ask for a new one.',
    },
  })
}

/** Commerce is away, or answered nonsense: a page says so, with this status. */
class CommerceUnavailable extends Error {
  readonly status = 502
}

/** What the account page shows. */
export interface AccountDetails {
  name: string
  legalName: string
  registrationId?: string
}

export type AccountReader = (account: AccountToken) => Promise<AccountDetails>

/** Any call to Commerce for the shopper looks like this one: the shop's bearer, and the account's token in its header. */
export function createAccountReader({
  baseUrl,
  clientId,
}: Pick<StoreConfig, 'baseUrl' | 'clientId'>): AccountReader {
  let bearer: { token: string; expires: number } | undefined

  async function call(path: string, init: RequestInit): Promise<Record<string, unknown>> {
    try {
      const response = await fetch(new URL(path, baseUrl), {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(5_000),
      })
      if (response.status === 401) bearer = undefined
      if (!response.ok) throw new Error(`Commerce answered ${response.status} to ${path}`)
      return (await response.json()) as Record<string, unknown>
    } catch (cause) {
      throw new CommerceUnavailable('The account could not be read', { cause })
    }
  }

  async function accessToken(): Promise<string> {
    if (bearer && bearer.expires > Date.now() + 60_000) return bearer.token
    const body = new URLSearchParams({ grant_type: 'implicit', client_id: clientId })
    const answer = await call('/oauth/access_token', { method: 'POST', body })
    bearer = { token: String(answer['access_token']), expires: Number(answer['expires']) * 1000 }
    return bearer.token
  }

  return async ({ id, name, token }) => {
    const headers = { authorization: `Bearer ${await accessToken()}`, [ACCOUNT_TOKEN_HEADER]: token }
    const answer = await call(`/v2/accounts/${encodeURIComponent(id)}`, { headers })
    const account = (answer['data'] ?? {}) as Record<string, unknown>
    const text = (field: string) => (typeof account[field] === 'string' ? account[field] : undefined)
    const registrationId = text('registration_id')
    return {
      name: text('name') ?? name,
      legalName: text('legal_name') ?? name,
      ...(registrationId && { registrationId }),
    }
  }
}

export interface CompanyPage {
  companies: AccountSummary[]
  /** How many match; all of them where nothing is searched for. */
  total: number
  page: number
  pages: number
  /** Set where the member has more companies than a search looks through. */
  searched?: number
}

const PAGE = 20
const FETCH = 100
/** A search costs at most 20 calls to Commerce, and then none for a minute. */
const SEARCHED = 2_000

/** A member's companies, by page or by name: Commerce itself cannot search them. */
export function createCompanyFinder(strategy: PasswordlessOtpStrategy) {
  // Bounded by the names it holds, whoever they belong to.
  const names = new LRUCache<string, { companies: AccountSummary[]; total: number }, PasswordlessOtpUser>({
    ttl: 60_000,
    maxSize: 100_000,
    sizeCalculation: ({ companies }) => companies.length + 1,
    async fetchMethod(_member, _stale, { context: user }) {
      const companies: AccountSummary[] = []
      let total = Infinity
      while (companies.length < Math.min(total, SEARCHED)) {
        const next = await strategy.listAccounts(user, { limit: FETCH, offset: companies.length })
        companies.push(...next.accounts)
        total = next.accounts.length ? next.total : companies.length
      }
      return { companies, total }
    },
  })

  return async (user: PasswordlessOtpUser, query: string, asked: number): Promise<CompanyPage> => {
    if (query === '') {
      const { accounts, total } = await strategy.listAccounts(user, {
        limit: PAGE,
        offset: (asked - 1) * PAGE,
      })
      return { companies: accounts, total, page: asked, pages: Math.ceil(total / PAGE) }
    }
    const all = await names.forceFetch(user.accountMemberId, { context: user })
    const words = fold(query).split(/\s+/)
    const found = all.companies.filter(({ name }) => words.every((word) => fold(name).includes(word)))
    const pages = Math.ceil(found.length / PAGE)
    const page = Math.max(1, Math.min(asked, pages))
    return {
      companies: found.slice((page - 1) * PAGE, page * PAGE),
      total: found.length,
      page,
      pages,
      ...(all.total > all.companies.length && { searched: all.companies.length }),
    }
  }
}

/** `Société` is found by `societe`. */
const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim()
