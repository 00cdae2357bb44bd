import { LRUCache } from 'lru-cache'
import type { AccountSummary, PasswordlessOtpStrategy, PasswordlessOtpUser } from 'passport-elasticpath-otp'

export interface CompanyPage {
  companies: AccountSummary[]
  /** How many match the search; all of them if there is no search. */
  total: number
  page: number
  pages: number
  /** How many companies were searched; set if the member has more than that. */
  searched?: number
}

const PAGE = 20
const FETCH = 100
/** A search costs at most 20 calls to Elastic Path. Their result is kept for a minute. */
const SEARCHED = 2_000

/** Finds a member's companies by page or by name. Elastic Path cannot search them by name. */
export function createCompanyFinder(strategy: PasswordlessOtpStrategy) {
  // Limited by the number of names in it, of all members together.
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

/** `societe` finds `Société`. */
const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim()
